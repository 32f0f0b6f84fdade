import { expect, test } from 'vitest'
import { scriptedKey as key, ScriptedRegion } from '../../test/support/scripted-region.ts'
import { GIVE_UP_MS, RESYNC_PAUSE_MS } from './limits.ts'

const PEER = '00112233aabbccdd'

test('messages to other relays that the bus rejects are counted (P-317)', () => {
  const region = new ScriptedRegion()
  expect([region.parts.tell(PEER, { type: 'reset' }), region.counters.messagesLost]).toEqual([true, 0])
  region.accepts = false
  expect([region.parts.tell(PEER, { type: 'reset' }), region.counters.messagesLost]).toEqual([false, 1])
})

test('a relay must confirm the list for all within 2 s of its end (P-312)', () => {
  const region = new ScriptedRegion()
  const peer = region.beat(PEER)
  region.parts.members.beginAnew(region.clock.now())
  expect(peer.confirmsByMs).toBe(Number.POSITIVE_INFINITY)
  region.clock.advance(100)
  region.parts.announcer.list()
  expect(peer.confirmsByMs).toBe(100 + RESYNC_PAUSE_MS)
})

test('a key that a list no longer contains is searched for if clients are to be told, even without packets to it (P-313, P-315)', () => {
  const region = new ScriptedRegion()
  region.isAwaited = true
  region.beat(PEER)
  region.hear(PEER, { type: 'here', sequence: 1, list: undefined, keys: [{ key: key(1), time: region.time() }] })
  region.hearDirectly(PEER, { type: 'here', sequence: 0, list: { number: 0, isLast: true }, keys: [] })
  region.parts.whereabouts.lookForDoubts()
  region.clock.runTurn()
  const [question, ...others] = region.told('find')
  expect([question?.to, question?.message.keys.map(({ bytes }) => bytes[0]), others]).toEqual(['find', [1], []])
  region.hearDirectly(PEER, { type: 'found', id: question?.message.id ?? 0, keys: [] })
  expect(region.done).toEqual(['1 has left'])
})

test('a search that has failed is repeated as long as clients are to be told (P-309, P-315)', () => {
  const region = new ScriptedRegion()
  const { finder, whereabouts } = region.parts
  region.isAwaited = true
  region.beat(PEER)
  finder.look(key(1))
  region.clock.runTurn()
  region.clock.advance(GIVE_UP_MS)
  expect([region.counters.searchesFailed, region.done]).toEqual([1, []])
  region.told('find')
  whereabouts.lookForDoubts()
  region.clock.runTurn()
  const [question] = region.told('find')
  region.hearDirectly(PEER, { type: 'found', id: question?.message.id ?? 0, keys: [] })
  expect([region.counters.searches, region.done]).toEqual([2, ['1 has left']])
})

test('a login here whose older rival could not be told is announced again with a list (P-306, P-312)', () => {
  const region = new ScriptedRegion()
  region.parts.whereabouts.loggedIn({ key: key(1), remote: undefined, flags: 0 })
  region.parts.announcer.flush()
  region.beat(PEER)
  const older = [{ key: key(1), time: region.time(-1_000) }]
  region.hear(PEER, { type: 'here', sequence: 1, list: undefined, keys: older })
  expect([region.told('superseded').map(({ to }) => to), region.parts.announcer.hasLost]).toEqual([[PEER], false])
  region.accepts = false
  region.hear(PEER, { type: 'here', sequence: 2, list: undefined, keys: older })
  expect([region.parts.announcer.hasLost, region.counters.messagesLost]).toEqual([true, 1])
})

test('a search does not wait for a relay that has left (P-309, P-316)', () => {
  const region = new ScriptedRegion()
  const others = [region.beat(PEER), region.beat('ff112233aabbccdd')]
  const answers: boolean[] = []
  region.parts.inquiries.ask([key(1)], isAnswered => answers.push(isAnswered))
  const [question] = region.told('find')
  region.hearDirectly(PEER, { type: 'found', id: question?.message.id ?? 0, keys: [] })
  expect(answers).toEqual([])
  region.hearDirectly(others[1]?.id ?? '', { type: 'reset' })
  expect(answers).toEqual([true])
})

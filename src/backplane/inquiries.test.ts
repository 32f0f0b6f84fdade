import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { decodeMessage } from './decode.ts'
import { Inquiries } from './inquiries.ts'
import { ASK_AGAIN_MS, GIVE_UP_MS } from './limits.ts'
import type { RelayId } from './stamp.ts'

const key = (n: number) => NodePublicKey.fromBytes(new Uint8Array(32).fill(n))

function setUp(...relays: RelayId[]) {
  const clock = new FakeClock()
  const log: string[] = []
  const tell = (to: string, question: Uint8Array) => {
    const message = decodeMessage(question)
    if (message?.type !== 'find') throw new Error('ask relays: this is no find')
    log.push(`${to}: ${message.id} ${message.keys.map(({ bytes }) => bytes[0]).join()}`)
  }
  const inquiries = new Inquiries({
    clock,
    relays: () => relays,
    broadcast: question => tell('all', question),
    send: tell,
  })
  return {
    clock,
    inquiries,
    ask: (n: number) => inquiries.ask([key(n)], isAnswered => log.push(`${n} ${isAnswered ? 'answered' : 'failed'}`)),
    /** What has happened since the last call. */
    take: () => log.splice(0),
  }
}

test('without other relays a query is answered immediately (P-309)', () => {
  const { clock, ask, take } = setUp()
  ask(7)
  expect([take(), clock.pendingTimers]).toEqual([['7 answered'], 0])
})

test('a query ends once, when the last relay has responded (P-308, P-309)', () => {
  const { clock, inquiries, ask, take } = setUp('a', 'b')
  ask(7)
  ask(8)
  expect(take()).toEqual(['all: 1 7', 'all: 2 8'])
  for (const by of ['a', 'a', 'unknown']) inquiries.answered(1, by)
  expect(take()).toEqual([])
  for (const by of ['b', 'b', 'a']) inquiries.answered(1, by)
  expect(take()).toEqual(['7 answered'])
  inquiries.answered(3, 'a')
  expect([take(), clock.pendingTimers]).toEqual([[], 1])
})

test('relays without a response are queried again after 500 ms; after 2 s the query fails (P-308)', () => {
  const { clock, inquiries, ask, take } = setUp('a', 'b', 'c')
  ask(7)
  inquiries.answered(1, 'b')
  take()
  clock.advance(ASK_AGAIN_MS - 1)
  expect(take()).toEqual([])
  clock.advance(1)
  expect(take()).toEqual(['a: 1 7', 'c: 1 7'])
  clock.advance(GIVE_UP_MS - ASK_AGAIN_MS - 1)
  expect(take()).toEqual([])
  clock.advance(1)
  expect([take(), clock.pendingTimers]).toEqual([['7 failed'], 0])
  for (const by of ['a', 'c']) inquiries.answered(1, by)
  inquiries.giveUp()
  expect(take()).toEqual([])
})

test('a query that has ended while relays were queried again does not fail later (P-308)', () => {
  const { clock, inquiries, ask, take } = setUp('a')
  ask(7)
  clock.advance(ASK_AGAIN_MS)
  inquiries.answered(1, 'a')
  expect([take(), clock.pendingTimers]).toEqual([['all: 1 7', 'a: 1 7', '7 answered'], 0])
})

test('a relay that leaves has none of the keys of any query (P-309)', () => {
  const { inquiries, ask, take } = setUp('a', 'b')
  ask(7)
  ask(8)
  inquiries.answered(2, 'b')
  take()
  inquiries.relayLeft('a')
  expect(take()).toEqual(['8 answered'])
  inquiries.answered(1, 'b')
  expect(take()).toEqual(['7 answered'])
})

test('queries that are given up fail at once, and only once (P-318)', () => {
  const { clock, inquiries, ask, take } = setUp('a')
  ask(7)
  ask(8)
  take()
  inquiries.giveUp()
  expect([take(), clock.pendingTimers]).toEqual([['7 failed', '8 failed'], 0])
  inquiries.giveUp()
  inquiries.relayLeft('a')
  expect(take()).toEqual([])
})

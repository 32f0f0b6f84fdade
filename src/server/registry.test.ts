import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import { type Member, Registry, type RegistryOutput } from './registry.ts'

const key = (n: number) => NodePublicKey.fromBytes(new Uint8Array(32).fill(n))
const member = (n: number): Member => ({ key: key(n), remote: { address: '192.0.2.1', port: n }, flags: n })

/** A registry with its output as text, and keys that have left the region. */
function registry() {
  const told: string[] = []
  const gone: (number | undefined)[] = []
  const output: RegistryOutput<Member, string> = {
    routeChanged: ({ bytes }, { active, link }) =>
      told.push(`route ${bytes[0]}: ${active?.remote?.port ?? '-'} ${link ?? '-'}`),
    duplicateChanged: ({ remote }, isDuplicate) => told.push(`duplicate ${remote?.port}: ${isDuplicate}`),
    keyLeft: ({ bytes }) => gone.push(bytes[0]),
    peerLeft: ({ remote }, { bytes }) => told.push(`left ${remote?.port}: ${bytes[0]}`),
    presence: ({ remote }, changes) =>
      told.push(`presence ${remote?.port}: ${changes.map(({ peer, present }) => `${peer.bytes[0]} ${present}`)}`),
  }
  const take = () => told.splice(0)
  return { real: new Registry<Member, string>(output), take, gone }
}

test('Registry reports every route change, and nothing else (P-065, P-075)', () => {
  const { real, take } = registry()
  const one = member(1)
  real.add(one)
  expect(take()).toEqual(['route 1: 1 -'])
  real.noteActivity(one)
  real.announce(key(1), 'f')
  real.announce(key(1), 'f')
  expect(take()).toEqual(['route 1: 1 f'])
  real.remove(one)
  real.remove(one)
  expect(take()).toEqual(['route 1: - f'])
  real.withdraw(key(1), 'g')
  expect(take()).toEqual([])
  real.withdraw(key(1), 'f')
  real.withdraw(key(1), 'f')
  expect(take()).toEqual(['route 1: - -'])
  expect(real.counters.forwarderRemovalsOfOther).toBe(1)
})

test('Registry reports activity only if it moves the route (P-065)', () => {
  const { real, take } = registry()
  const [one, other] = [member(1), { ...member(1), remote: { address: '192.0.2.2', port: 2 } }]
  real.noteActivity(one)
  real.add(one)
  real.announce(key(1), 'f')
  real.add(other)
  take()
  real.noteActivity(other)
  expect(take()).toEqual([])
  real.noteActivity(one)
  real.noteActivity(one)
  expect(take()).toEqual(['route 1: 1 f'])
  real.remove(one)
  expect(take()).toEqual(['duplicate 2: false', 'route 1: 2 f'])
})

test('Registry ignores activity for a key that only a link reaches', () => {
  const { real, take } = registry()
  real.announce(key(1), 'f')
  take()
  real.noteActivity(member(1))
  real.remove(member(1))
  expect(take()).toEqual([])
  expect([real.membersOf(key(1)), real.membersOf(key(2))]).toEqual([[], []])
})

test('Registry floods a watcher with connected keys only (P-070)', () => {
  const { real, take } = registry()
  const watcher = member(1)
  real.add(watcher)
  real.announce(key(2), 'f')
  take()
  real.watch(watcher)
  expect(take()).toEqual(['presence 1: 1 true'])
})

test('Registry notifies clients that received from a peer, except those that have left (P-062)', () => {
  const { real, take } = registry()
  const [one, two, three] = [member(1), member(2), member(3)]
  for (const each of [one, two, three]) real.add(each)
  real.subscribePeerGone(one, key(3))
  real.subscribePeerGone(two, key(3))
  real.subscribePeerGone(two, key(1))
  real.remove(two)
  take()
  real.remove(three)
  expect(take()).toEqual(['left 1: 3', 'route 3: - -'])
  real.remove(one)
  expect(take()).toEqual(['route 1: - -'])
})

test('Registry tells of a key that has left the region, unless it is known here (P-315)', () => {
  const { real, take } = registry()
  real.add(member(1))
  for (const n of [1, 3]) real.subscribePeerGone(member(2), key(n))
  take()
  real.leave(key(1))
  expect(take()).toEqual([])
  real.leave(key(3))
  expect(take()).toEqual(['left 2: 3'])
})

test('Registry reports each key that leaves the region, whether anybody heard from it or not (P-076, P-314)', () => {
  const { real, gone } = registry()
  const both = member(1)
  real.add(both)
  real.announce(key(1), 'f')
  for (const n of [2, 3]) real.announce(key(n), 'f')
  real.remove(both)
  real.forget(key(2), 'f')
  expect(gone).toEqual([])
  for (const n of [1, 2, 3]) real.withdraw(key(n), 'f')
  expect(gone).toEqual([1, 3])
})

test('Registry counts the withdrawal of a key that is only connected here as one of another link (P-075)', () => {
  const { real, take } = registry()
  real.add(member(1))
  take()
  real.withdraw(key(1), 'f')
  expect([take(), real.counters.forwarderRemovalsOfOther]).toEqual([[], 1])
})

test('Registry is consistent in itself, and detects a wrong connection count', () => {
  const { real } = registry()
  for (const each of [member(1), member(1), member(2)]) real.add(each)
  real.announce(key(3), 'f')
  expect(real.inconsistencies(3)).toEqual([])
  expect(real.inconsistencies(4)).toEqual(['4 connections counted, 3 registered'])
  expect([real.localKeys, real.totalKeys]).toEqual([2, 3])
})

test('Registry detects a member whose key changed, as by a reused buffer', () => {
  const { real } = registry()
  const faulty = member(1)
  real.add(member(2))
  real.add(faulty)
  let reads = 0
  Object.defineProperty(faulty, 'key', { get: () => key(reads++ === 0 ? 1 : 2) })
  real.remove(faulty)
  expect(real.inconsistencies(1)).toEqual([
    '1 keys known without a connection or link',
    '1 local keys counted, 0 registered',
    '1 connections counted, 0 registered',
  ])
})

test('Registry counts keys when they start and stop having several links (P-075)', () => {
  const { real } = registry()
  const counts = () => [real.counters.multiForwardersCreated, real.counters.multiForwardersDeleted]
  for (const name of ['f', 'g', 'h']) real.announce(key(1), name)
  expect(counts()).toEqual([1, 0])
  real.withdraw(key(1), 'f')
  expect(counts()).toEqual([1, 0])
  real.withdraw(key(1), 'other')
  real.withdraw(key(1), 'g')
  expect(counts()).toEqual([1, 1])
  real.withdraw(key(1), 'h')
  expect([counts(), real.totalKeys, real.counters.forwarderRemovalsOfOther]).toEqual([[1, 1], 0, 0])
})

test('Registry notifies all clients that received from a peer, in order (P-062)', () => {
  const { real, take } = registry()
  const gone = member(3)
  real.add(gone)
  for (const each of [1, 2]) real.subscribePeerGone(member(each), key(3))
  take()
  real.remove(gone)
  expect(take()).toEqual(['left 1: 3', 'left 2: 3', 'route 3: - -'])
})

test('Registry keeps the route by a link to a newer login when another link is announced or withdrawn (P-304)', () => {
  const { real, take } = registry()
  real.add(member(1))
  real.announce(key(1), 'f', true)
  take()
  real.announce(key(1), 'g')
  real.withdraw(key(1), 'g')
  expect(take()).toEqual(['route 1: - f', 'route 1: - f'])
  real.announce(key(1), 'f')
  expect(take()).toEqual(['route 1: 1 f'])
})

test('Registry lists connections only, not keys that links reach', () => {
  const { real } = registry()
  real.announce(key(1), 'f')
  const [two, other] = [member(2), member(2)]
  for (const each of [two, other]) real.add(each)
  expect([...real.members()]).toEqual([two, other])
  expect([...real.routes()].map(([known]) => known.toString())).toEqual([key(1), key(2)].map(String))
})

test('Registry knows that activity of a member would change something, unless it is the latest (P-065)', () => {
  const { real } = registry()
  const [one, other] = [member(1), member(1)]
  real.announce(key(2), 'f')
  expect([member(1), member(2)].map(each => real.isLatest(each))).toEqual([false, false])
  for (const each of [one, other]) real.add(each)
  real.noteActivity(other)
  expect([one, other].map(each => real.isLatest(each))).toEqual([false, true])
})

test('Registry ignores the removal of a member with an unknown key', () => {
  const { real, take } = registry()
  real.remove(member(1))
  expect([take(), real.totalKeys, real.localKeys]).toEqual([[], 0, 0])
})

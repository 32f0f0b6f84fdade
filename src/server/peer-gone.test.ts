import { expect, test } from 'vitest'
import { MAX_SOURCES, NotHereLimit, SeenSources } from './peer-gone.ts'

/** A buffer with a key of 32 bytes `n` at offset 3. */
const keyBuffer = (n: number) => Uint8Array.from([9, 9, 9, ...new Uint8Array(32).fill(n), 9])

test('NotHereLimit allows three at once, then one per second (P-061)', () => {
  const limit = new NotHereLimit()
  const allowed = (nowMs: number) => [1, 2, 3, 4].filter(() => limit.allows(nowMs)).length
  expect([allowed(5_000), allowed(5_999), allowed(6_000), allowed(60_000)]).toEqual([3, 0, 1, 3])
})

test('SeenSources returns the key of each source once, in any order (P-062)', () => {
  const sources = new SeenSources()
  const note = (n: number) => sources.note(undefined, keyBuffer(n), 3)?.bytes[0]
  expect([1, 1, 2, 1, 2, 2, 3, 1].map(note)).toEqual([1, undefined, 2, undefined, undefined, undefined, 3, undefined])
})

test('SeenSources looks up consecutive packets of a session only once (P-062)', () => {
  const sources = new SeenSources()
  const [a, b] = [{}, {}]
  const note = (sender: object | undefined, n: number) => sources.note(sender, keyBuffer(n), 3)?.bytes[0]
  expect([note(a, 1), note(a, 2), note(b, 1), note(undefined, 1), note(b, 2), note(a, 2)]).toEqual([
    1,
    undefined,
    undefined,
    undefined,
    2,
    undefined,
  ])
})

test('SeenSources copies the key and does not retain the buffer (P-062)', () => {
  const buffer = keyBuffer(1)
  const key = new SeenSources().note({}, buffer, 3)
  buffer.fill(0)
  expect(key?.bytes).toEqual(new Uint8Array(32).fill(1))
})

test('SeenSources forgets the oldest beyond its bound, sooner when all sessions remember many (P-062)', () => {
  const all = { count: 0 }
  const bounds = { each: 3, all: 4, fewest: 1 }
  const [first, second] = [new SeenSources(all, bounds), new SeenSources(all, bounds)]
  const note = (sources: SeenSources, n: number) => sources.note(undefined, keyBuffer(n), 3) !== undefined
  expect([1, 2, 3, 4].map(n => note(first, n))).toEqual([true, true, true, true])
  expect([4, 3, 2, 1].map(n => note(first, n))).toEqual([false, false, false, true])
  expect([note(second, 1), note(second, 2), all.count]).toEqual([true, true, 4])
  expect([note(second, 2), note(first, 9), note(first, 1)]).toEqual([false, true, true])
  expect(all.count).toBe(3)
  second.close()
  first.close()
  expect(all.count).toBe(0)
})

test('SeenSources remembers 2,000 sources while all sessions remember few (P-062)', () => {
  const sources = new SeenSources()
  const buffer = new Uint8Array(32)
  const note = (n: number) => {
    new DataView(buffer.buffer).setUint32(0, n)
    return sources.note(undefined, buffer, 0) !== undefined
  }
  for (let n = 1; n <= MAX_SOURCES; n++) expect(note(n)).toBe(true)
  expect([note(1), note(MAX_SOURCES + 1), note(1), note(3)]).toEqual([false, true, true, false])
})

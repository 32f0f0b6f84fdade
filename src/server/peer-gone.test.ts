import { expect, test } from 'vitest'
import { NotHereLimit, SeenSources } from './peer-gone.ts'

/** A buffer with the key of all `n` at offset 3. */
const keyBuffer = (n: number) => Uint8Array.from([9, 9, 9, ...new Uint8Array(32).fill(n), 9])

test('NotHereLimit allows three at once, then one per second (P-061)', () => {
  const limit = new NotHereLimit()
  const allowed = (nowMs: number) => [1, 2, 3, 4].filter(() => limit.allows(nowMs)).length
  expect([allowed(5_000), allowed(5_999), allowed(6_000), allowed(60_000)]).toEqual([3, 0, 1, 3])
})

test('SeenSources gives the key of each source once, in whatever order they come (P-062)', () => {
  const sources = new SeenSources()
  const note = (n: number) => sources.note(undefined, keyBuffer(n), 3)?.bytes[0]
  expect([1, 1, 2, 1, 2, 2, 3, 1].map(note)).toEqual([1, undefined, 2, undefined, undefined, undefined, 3, undefined])
})

test('SeenSources looks once at what a session sends in a row (P-062)', () => {
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

test('SeenSources keeps the key, not the buffer it lay in (P-062)', () => {
  const buffer = keyBuffer(1)
  const key = new SeenSources().note({}, buffer, 3)
  buffer.fill(0)
  expect(key?.bytes).toEqual(new Uint8Array(32).fill(1))
})

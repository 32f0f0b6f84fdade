import { expect, test } from 'vitest'
import { NotHereLimit, SeenSources } from './peer-gone.ts'

/** A buffer with the key of all `n` at offset 3. */
const keyBuffer = (n: number) => Uint8Array.from([9, 9, 9, ...new Uint8Array(32).fill(n), 9])

test('NotHereLimit allows three at once, then one per second (P-061)', () => {
  const limit = new NotHereLimit()
  const allowed = (nowMs: number) => [1, 2, 3, 4].filter(() => limit.allows(nowMs)).length
  expect([allowed(5_000), allowed(5_999), allowed(6_000), allowed(60_000)]).toEqual([3, 0, 1, 3])
})

test('SeenSources gives the key of each source once (P-062)', () => {
  const sources = new SeenSources()
  const [a, b] = [{}, {}]
  const note = (sender: object | undefined, n: number) => sources.note(sender, keyBuffer(n), 3)?.bytes
  expect(note(a, 1)).toEqual(new Uint8Array(32).fill(1))
  expect([note(a, 1), note({}, 1), note(undefined, 1)]).toEqual([undefined, undefined, undefined])
  expect(note(b, 2)).toEqual(new Uint8Array(32).fill(2))
  expect(note(a, 1)).toBeUndefined()
})

test('SeenSources tells forwarded sources apart, as they have no session (P-062)', () => {
  const sources = new SeenSources()
  const note = (n: number) => sources.note(undefined, keyBuffer(n), 3) !== undefined
  expect([note(1), note(2), note(1), note(2)]).toEqual([true, true, false, false])
})

test('SeenSources keeps the key, not the buffer it lay in (P-062)', () => {
  const buffer = keyBuffer(1)
  const key = new SeenSources().note({}, buffer, 3)
  buffer.fill(0)
  expect(key?.bytes).toEqual(new Uint8Array(32).fill(1))
})

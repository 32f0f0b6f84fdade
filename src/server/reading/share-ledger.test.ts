import { expect, test } from 'vitest'
import { WHOLE_FRAME_BYTES } from './rate-limit.ts'
import { CATCH_UP_MS, maxAheadMs, OwnShareLedger } from './share-ledger.ts'

test('the line may be ahead by one whole frame (P-105)', () => {
  expect([1, 100].map(maxAheadMs)).toEqual([WHOLE_FRAME_BYTES, WHOLE_FRAME_BYTES / 100])
})

test('OwnShareLedger knows how many clients wait, on no other thread, and its service never goes back (P-105)', () => {
  const ledger = new OwnShareLedger()
  ledger.publish(3)
  ledger.advance(500)
  ledger.advance(200)
  expect(ledger).toMatchObject({ waiting: 3, served: 500, firstElsewhere: Number.POSITIVE_INFINITY })
})

test('OwnShareLedger frees the line as soon as the bytes taken before have had their time (P-105)', () => {
  const ledger = new OwnShareLedger()
  // The first takes what may be made up for.
  expect(ledger.tryTake((CATCH_UP_MS + 7) * 10, 10, 1_000)).toBe(0)
  const waits = [1_000, 1_004, 1_007].map(nowMs => ledger.tryTake(50, 10, nowMs))
  expect(waits).toEqual([7, 3, 0])
  expect(ledger.tryTake(50, 10, 1_007)).toBe(5)
})

test('OwnShareLedger makes up for 20 ms of an unused line, and no more (P-105)', () => {
  const ledger = new OwnShareLedger()
  ledger.tryTake(1, 10, 0)
  expect([1, 2].map(() => ledger.tryTake(CATCH_UP_MS * 10, 10, 60_000))).toEqual([0, 0])
  expect(ledger.tryTake(1, 10, 60_000)).toBe(CATCH_UP_MS)
})

test('OwnShareLedger lets no frame block the line longer than a whole one takes at a raised rate (P-105)', () => {
  const ledger = new OwnShareLedger()
  ledger.tryTake(WHOLE_FRAME_BYTES, 1, 0)
  expect(ledger.tryTake(1, 100, 0)).toBe(WHOLE_FRAME_BYTES / 100)
})

import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { rejectionsOf } from '../../test/support/rejections.ts'
import { settle } from '../../test/support/settle.ts'
import { DerpError } from '../lib/derp-error.ts'
import { memoryConnPair } from '../transport/memory-conn.ts'
import { FrameSender } from './frame-sender.ts'
import { PacedSender } from './paced-sender.ts'

function setUp() {
  const [conn, other] = memoryConnPair()
  const clock = new FakeClock()
  const came: number[] = []
  other.open({ onData: chunk => came.push(...chunk.subarray(0, 1)), onClose() {} })
  conn.open({ onData() {}, onClose() {} })
  return { clock, came, paced: new PacedSender(new FrameSender(conn, () => {}), clock) }
}

/** A frame of `length` bytes filled with `mark`. */
const frame = (mark: number, length = 100): Uint8Array => new Uint8Array(length).fill(mark)

test('PacedSender sends at once and sets no timer without limits', async () => {
  const { clock, came, paced } = setUp()
  for (let mark = 0; mark < 50; mark++) await paced.send(frame(mark, 65_000))
  expect(came).toHaveLength(50)
  expect(clock.pendingTimers).toBe(0)
})

test('PacedSender lets the burst through and then waits, in order, for every byte (P-211)', async () => {
  const { clock, came, paced } = setUp()
  paced.limit(1_000, 250)
  const sent = [1, 2, 3, 4, 5].map(mark => paced.send(frame(mark)))
  await settle()
  expect(came).toEqual([1, 2])
  for (const [ms, marks] of [
    [49, [1, 2]],
    [1, [1, 2, 3]],
    [99, [1, 2, 3]],
    [1, [1, 2, 3, 4]],
    [100, [1, 2, 3, 4, 5]],
  ] as const) {
    clock.advance(ms)
    await settle()
    expect(came).toEqual(marks)
  }
  await Promise.all(sent)
  expect(clock.pendingTimers).toBe(0)
})

test('PacedSender lets no small frame overtake a large one (P-211)', async () => {
  const { clock, came, paced } = setUp()
  paced.limit(1_000, 100)
  const sent = [paced.send(frame(1)), paced.send(frame(2))]
  clock.advance(50)
  sent.push(paced.send(frame(3, 50)))
  clock.advance(100)
  await Promise.all(sent)
  expect(came).toEqual([1, 2, 3])
})

test('PacedSender also sends frames above the burst, and keeps to the rate (P-211)', async () => {
  const { clock, came, paced } = setUp()
  paced.limit(1_000, 50)
  const sent = [1, 2, 3].map(mark => paced.send(frame(mark, 150)))
  await settle()
  expect(came).toEqual([1])
  clock.advance(149)
  await settle()
  expect(came).toEqual([1])
  clock.advance(1)
  await settle()
  expect(came).toEqual([1, 2])
  clock.advance(150)
  await Promise.all(sent)
  expect(came).toEqual([1, 2, 3])
})

test('PacedSender sends everything when the limits are removed (P-211)', async () => {
  const { clock, came, paced } = setUp()
  paced.limit(1, 0)
  const sent = [1, 2, 3, 4].map(mark => paced.send(frame(mark)))
  await settle()
  expect(came).toEqual([1])
  paced.limit(0, 0)
  await Promise.all(sent)
  expect(came).toEqual([1, 2, 3, 4])
  expect(clock.pendingTimers).toBe(0)
})

test('PacedSender.send cancels an aborted frame, at no cost in tokens (P-211)', async () => {
  const { clock, came, paced } = setUp()
  paced.limit(1_000, 100)
  const controller = new AbortController()
  const first = paced.send(frame(1))
  const given = [paced.send(frame(2), controller.signal), paced.send(frame(3, 50))]
  controller.abort()
  const late = paced.send(frame(4), AbortSignal.abort())
  for (const error of await rejectionsOf([given[0] as Promise<void>, late])) {
    expect(error).toMatchObject({ code: 'ERR_DERP_ABORTED' })
  }
  clock.advance(50)
  await Promise.all([first, given[1]])
  expect(came).toEqual([1, 3])
  expect(clock.pendingTimers).toBe(0)
})

test('PacedSender.fail rejects waiting frames and leaves no timer', async () => {
  const { clock, came, paced } = setUp()
  paced.limit(1, 100)
  const sent = [1, 2, 3].map(mark => paced.send(frame(mark)))
  await settle()
  const error = new DerpError('ERR_DERP_CONN_CLOSED', 'gone')
  paced.fail(error)
  expect(await rejectionsOf(sent.slice(1))).toEqual([error, error])
  expect(came).toEqual([1])
  expect(clock.pendingTimers).toBe(0)
})

test('PacedSender survives arbitrary limits from a relay', async () => {
  const { clock, came, paced } = setUp()
  paced.limit(-5, -5)
  await paced.send(frame(1))
  paced.limit(0.001, -5)
  await paced.send(frame(2))
  const waiting = paced.send(frame(3))
  // Rounding leaves fractions; they must not turn into an endless series of timers.
  paced.limit(3, 100 / 3)
  for (let i = 0; i < 40; i++) clock.advance(1_000)
  await waiting
  expect(came).toEqual([1, 2, 3])
})

import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { LineBuffer } from './line-buffer.ts'

/** A sink whose writes take until the test ends them. */
class SlowSink {
  readonly written: [lines: string, dropped: number][] = []
  #pending: PromiseWithResolvers<void> | undefined

  write(lines: string, dropped: number): Promise<void> {
    this.written.push([lines, dropped])
    this.#pending = Promise.withResolvers()
    return this.#pending.promise
  }

  async endWrite(): Promise<void> {
    this.#pending?.resolve()
    await settle()
  }
}

test('LineBuffer writes immediately, and batches lines added meanwhile', async () => {
  const sink = new SlowSink()
  const buffer = new LineBuffer(sink, new FakeClock())
  for (const line of ['a\n', 'b\n', 'c\n']) buffer.write(line)
  expect(sink.written).toEqual([['a\n', 0]])
  await sink.endWrite()
  expect(sink.written).toEqual([
    ['a\n', 0],
    ['b\nc\n', 0],
  ])
})

test('LineBuffer drops and counts lines beyond its bound, including those being written, and reports recovery', async () => {
  const sink = new SlowSink()
  const buffer = new LineBuffer(sink, new FakeClock(), 6)
  const told: number[] = []
  buffer.onRecovered = dropped => told.push(dropped)
  for (const line of ['aa\n', 'bb\n', 'c\n', 'd\ne\n']) buffer.write(line)
  expect(buffer.counters.dropped).toBe(3)
  await sink.endWrite()
  expect(told).toEqual([])
  buffer.write('f\n')
  await sink.endWrite()
  expect(sink.written).toEqual([
    ['aa\n', 0],
    ['bb\n', 3],
    ['f\n', 0],
  ])
  expect(told).toEqual([3])
  await sink.endWrite()
  expect(sink.written).toHaveLength(3)
})

test('LineBuffer counts lines lost before they reached it', async () => {
  const sink = new SlowSink()
  const buffer = new LineBuffer(sink, new FakeClock())
  const told: number[] = []
  buffer.onRecovered = dropped => told.push(dropped)
  buffer.drop(0)
  expect(sink.written).toEqual([])
  buffer.drop(7)
  await sink.endWrite()
  expect([buffer.counters.dropped, told]).toEqual([7, [7]])
})

test('LineBuffer flushes until everything is written or the limit is reached', async () => {
  const clock = new FakeClock()
  const sink = new SlowSink()
  const buffer = new LineBuffer(sink, clock)
  await buffer.flush(1_000)
  const done: string[] = []
  const flush = (name: string) => void buffer.flush(1_000).then(() => done.push(name))
  buffer.write('a\n')
  buffer.write('b\n')
  flush('written')
  await sink.endWrite()
  expect(done).toEqual([])
  await sink.endWrite()
  expect(done).toEqual(['written'])
  buffer.write('c\n')
  flush('given up')
  clock.advance(999)
  await settle()
  expect(done).toEqual(['written'])
  clock.advance(1)
  await settle()
  expect(done).toEqual(['written', 'given up'])
  expect(clock.pendingTimers).toBe(0)
})

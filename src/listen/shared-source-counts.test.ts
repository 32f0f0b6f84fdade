import { expect, test } from 'vitest'
import { SharedSourceCounts } from './shared-source-counts.ts'
import { SourceHash } from './source-hash.ts'

/** The slots that a source may have. */
const REACH = 32

/** Takes slot and tag from the source's two characters. */
class ChosenHash extends SourceHash {
  override update(source: string): void {
    this.place = source.charCodeAt(0)
    this.mark = source.charCodeAt(1)
  }
}

/** A source whose first slot is `place`. */
const sourceAt = (place: number, mark: number) => String.fromCharCode(place, mark)

/** The counts of three threads, with 64 slots each. */
function setUp() {
  const memory = SharedSourceCounts.createMemory(3, REACH)
  const hash = new ChosenHash([0, 0, 0, 0])
  const [a, b, c] = [0, 1, 2].map(thread => new SharedSourceCounts(memory, { threads: 3, thread, hash }))
  return [a, b, c] as [SharedSourceCounts, SharedSourceCounts, SharedSourceCounts]
}

test('a table has twice as many slots as there may be connections, of eight bytes each (P-109)', () => {
  const sizes = [1, REACH, REACH + 1, 1_000, undefined].map(max => SharedSourceCounts.createMemory(3, max).byteLength)
  expect(sizes).toEqual([64, 64, 128, 2_048, 131_072].map(slots => 3 * 8 * slots))
})

test('sources with the same slot are counted one by one, on all threads (P-109)', () => {
  for (const place of [0, 40, 63]) {
    const [a, b, c] = setUp()
    const sources = [1, 2, 3].map(mark => sourceAt(place, mark))
    expect(sources.map(source => [a, b].map(counts => counts.tryOpen(source, 2)))).toEqual(
      sources.map(() => [true, true]),
    )
    expect(sources.map(source => c.tryOpen(source, 2))).toEqual([false, false, false])
    for (const source of sources) b.close(source)
    expect(sources.map(source => c.tryOpen(source, 2))).toEqual([true, true, true])
    expect(sources.map(source => b.tryOpen(source, 2))).toEqual([false, false, false])
  }
})

test('a source that returns does not take the slot of one that came meanwhile (P-109)', () => {
  const [a, b] = setUp()
  const [first, second] = [sourceAt(5, 1), sourceAt(5, 2)]
  a.tryOpen(first, 1)
  a.close(first)
  expect([first, second].map(source => b.tryOpen(source, 1))).toEqual([true, true])
  b.close(first)
  b.close(second)
  a.tryOpen(second, 1)
  a.tryOpen(first, 1)
  expect([first, second].map(source => b.tryOpen(source, 1))).toEqual([false, false])
})

test('a source for which no slot was free leaves the slots of others as they are (P-109)', () => {
  const [a, b] = setUp()
  const sources = Array.from({ length: REACH }, (_, n) => sourceAt(0, n + 1))
  for (const source of sources) a.tryOpen(source, 1)
  const more = sourceAt(0, 99)
  expect([a.tryOpen(more, 2), a.tryOpen(more, 2), a.tryOpen(more, 2)]).toEqual([true, true, false])
  a.close(more)
  a.close(more)
  expect(sources.map(source => b.tryOpen(source, 1))).toEqual(sources.map(() => false))
})

test('a source is given one of 32 slots, or none (P-109)', () => {
  const [a, b] = setUp()
  for (let mark = 1; mark <= REACH; mark++) a.tryOpen(sourceAt(0, mark), 1)
  a.tryOpen(sourceAt(0, 99), 1)
  // Another source with the same tag, whose slots begin one further on.
  expect(b.tryOpen(sourceAt(1, 99), 1)).toBe(true)
})

test('a source is looked for in its 32 slots only (P-109)', () => {
  const [a, b, c] = setUp()
  a.tryOpen(sourceAt(REACH, 99), 1)
  expect(b.tryOpen(sourceAt(0, 99), 1)).toBe(true)
  expect(c.tryOpen(sourceAt(1, 99), 1)).toBe(false)
})

test('only the table of an ended thread is cleared (P-109)', () => {
  const source = sourceAt(7, 1)
  for (const ended of [0, 1, 2]) {
    const all = setUp()
    for (const counts of all) counts.tryOpen(source, 3)
    const [first, second] = all.filter((_, thread) => thread !== ended)
    first?.forget(ended)
    expect([first?.tryOpen(source, 3), second?.tryOpen(source, 3), first?.tryOpen(source, 3)]).toEqual([
      true,
      false,
      false,
    ])
  }
})

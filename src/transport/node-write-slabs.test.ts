import { expect, test } from 'vitest'
import { type JoinedChunks, WriteSlabs } from './node-write-slabs.ts'

const SLAB_BYTES = 256 << 10

function join(slabs: WriteSlabs, ...sizes: number[]): JoinedChunks {
  const chunks = sizes.map((size, at) => new Uint8Array(size).fill(at + 1))
  return slabs.join(
    chunks,
    sizes.reduce((sum, size) => sum + size, 0),
  )
}

/** Location of the joined bytes. */
const placeOf = ({ bytes }: JoinedChunks) => [bytes.buffer, bytes.byteOffset, bytes.length]

test('WriteSlabs joins chunks in order', () => {
  expect([...join(new WriteSlabs(), 1, 0, 2, 3).bytes]).toEqual([1, 3, 3, 4, 4, 4])
})

test('WriteSlabs places pending writes one after the other, and starts over when all are done', () => {
  const slabs = new WriteSlabs()
  const first = join(slabs, 10, 20)
  const second = join(slabs, 5)
  expect(placeOf(second)).toEqual([first.bytes.buffer, 30, 5])
  slabs.release(first)
  const third = join(slabs, 1)
  expect(placeOf(third)).toEqual([first.bytes.buffer, 35, 1])
  slabs.release(second)
  slabs.release(third)
  expect(placeOf(join(slabs, 1))).toEqual([first.bytes.buffer, 0, 1])
})

test('WriteSlabs never touches pending bytes, and reuses a slab once its last write is done', () => {
  const slabs = new WriteSlabs()
  const slow = join(slabs, SLAB_BYTES - 10)
  const next = join(slabs, 11)
  expect(next.bytes.buffer).not.toBe(slow.bytes.buffer)
  expect(slow.bytes.every(byte => byte === 1)).toBe(true)
  slabs.release(slow)
  const filling = join(slabs, SLAB_BYTES - 11)
  expect(filling.bytes.buffer).toBe(next.bytes.buffer)
  expect(placeOf(join(slabs, 1))).toEqual([slow.bytes.buffer, 0, 1])
})

test('WriteSlabs keeps few spare slabs', () => {
  const slabs = new WriteSlabs()
  const rush = Array.from({ length: 20 }, () => join(slabs, SLAB_BYTES))
  expect(new Set(rush.map(({ bytes }) => bytes.buffer)).size).toBe(20)
  for (const joined of rush) slabs.release(joined)
  const again = Array.from({ length: 20 }, () => join(slabs, SLAB_BYTES))
  const kept = again.filter(({ bytes }) => rush.some(old => old.bytes.buffer === bytes.buffer))
  expect(kept).toHaveLength(5)
})

test('WriteSlabs gives a write larger than a slab its own memory, which is not kept', () => {
  const slabs = new WriteSlabs()
  const large = join(slabs, SLAB_BYTES, 1)
  expect(large.bytes.buffer.byteLength).toBe(SLAB_BYTES + 1)
  slabs.release(large)
  expect(join(slabs, SLAB_BYTES, 1).bytes.buffer).not.toBe(large.bytes.buffer)
})

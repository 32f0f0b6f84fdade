import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { type BatchMemory, BatchWriter, readBatch } from './link-batch.ts'

const memory: BatchMemory = { allocate: bytes => new ArrayBuffer(bytes), view: buffer => new Uint8Array(buffer) }

const frame = fc.record({
  to: fc.nat(0xffff_ffff),
  tag: fc.nat(0xff),
  pieces: fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 3 }),
})

function read(batch: ArrayBuffer) {
  const frames: { to: number; tag: number; bytes: number[] }[] = []
  readBatch(batch, memory, {
    takeFrame: (to, bytes, start, end, tag) => frames.push({ to, tag, bytes: [...bytes.subarray(start, end)] }),
  })
  return frames
}

test('batches contain the frames added, one batch after the other', () => {
  fc.assert(
    fc.property(fc.array(fc.array(frame, { maxLength: 90 }), { maxLength: 3 }), batches => {
      const writer = new BatchWriter()
      for (const frames of batches) {
        for (const { to, tag, pieces } of frames) {
          for (const piece of pieces) writer.add(piece, 0, piece.length)
          writer.endFrame(to, tag)
        }
        expect(writer.frames).toBe(frames.length)
        expect(read(writer.take(memory))).toEqual(
          frames.map(({ to, tag, pieces }) => ({ to, tag, bytes: pieces.flatMap(piece => [...piece]) })),
        )
      }
    }),
    { numRuns: 100 },
  )
})

test('adjacent frames of a buffer are copied as one piece', () => {
  const writer = new BatchWriter()
  const chunk = Uint8Array.from({ length: 12 }, (_, at) => at)
  for (const [n, at] of [0, 4, 8].entries()) {
    writer.add(chunk, at, at + 4)
    writer.endFrame(n, 0)
  }
  expect(writer.bytes).toBe(12)
  expect(read(writer.take(memory)).map(({ bytes }) => bytes)).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
  ])
})

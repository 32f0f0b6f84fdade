/**
 * The layout of packets on a link: the frames, then a table of two words per frame, then the number of frames. Adjacent
 * frames for one client stay adjacent, and are written as one piece there.
 */

const WORD_BYTES = 4
const ROW_WORDS = 2
/** The second word of a row: the frame's length, with its tag above. */
const LENGTH_BITS = 24
const LENGTH_MASK: number = 2 ** LENGTH_BITS - 1

export interface BatchMemory {
  /** Transferable memory, not zeroed. */
  allocate(bytes: number): ArrayBuffer
  /** The bytes in the form that sockets prefer. */
  view(buffer: ArrayBuffer): Uint8Array
}

/** Receives the frames of a batch; it handles the bytes like a `Destination`. */
export interface FrameSink {
  /** @param tag see `frame-tag`. */
  takeFrame(to: number, bytes: Uint8Array, start: number, end: number, tag: number): void
}

/** Collects frames; they are copied once, when the batch is made. */
export class BatchWriter {
  #pieces: Uint8Array[] = []
  #table = new Uint32Array(64)
  #rows = 0
  #bytes = 0
  /** The last piece, which the next may extend. */
  #run: Uint8Array | undefined
  #runStart = 0
  #runEnd = 0
  #frameStart = 0

  /** Total bytes of the frames. */
  get bytes(): number {
    return this.#bytes
  }

  get frames(): number {
    return this.#rows
  }

  /** Adds a part of a frame, which must not change until the batch is made. */
  add(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes += end - start
    if (this.#run === buffer && this.#runEnd === start) {
      this.#runEnd = end
      return
    }
    this.#closeRun()
    this.#run = buffer
    this.#runStart = start
    this.#runEnd = end
  }

  /** Everything added since the last frame is a frame for `to`. */
  endFrame(to: number, tag: number): void {
    if ((this.#rows + 1) * ROW_WORDS > this.#table.length) this.#growTable()
    const at = this.#rows++ * ROW_WORDS
    const length = this.#bytes - this.#frameStart
    this.#frameStart = this.#bytes
    this.#table[at] = to
    this.#table[at + 1] = length | (tag << LENGTH_BITS)
  }

  /** Returns the batch and starts the next one. */
  take(memory: BatchMemory): ArrayBuffer {
    this.#closeRun()
    const tableAt = align(this.#bytes)
    const words = this.#rows * ROW_WORDS
    const batch = memory.allocate(tableAt + (words + 1) * WORD_BYTES)
    const bytes = new Uint8Array(batch)
    let at = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    const table = new Uint32Array(batch, tableAt)
    table.set(this.#table.subarray(0, words))
    table[words] = this.#rows
    this.clear()
    return batch
  }

  clear(): void {
    this.#pieces = []
    this.#run = undefined
    this.#rows = 0
    this.#bytes = 0
    this.#frameStart = 0
  }

  #closeRun(): void {
    if (this.#run !== undefined) this.#pieces.push(this.#run.subarray(this.#runStart, this.#runEnd))
    this.#run = undefined
  }

  #growTable(): void {
    const table = new Uint32Array(this.#table.length * 2)
    table.set(this.#table)
    this.#table = table
  }
}

/** Passes on all frames of a batch, in order. */
export function readBatch(batch: ArrayBuffer, memory: BatchMemory, taker: FrameSink): void {
  const bytes = memory.view(batch)
  const words = new Uint32Array(batch)
  const rows = words[words.length - 1] as number
  let row = words.length - 1 - rows * ROW_WORDS
  let start = 0
  for (let left = rows; left > 0; left--) {
    const word = words[row + 1] as number
    const end = start + (word & LENGTH_MASK)
    taker.takeFrame(words[row] as number, bytes, start, end, word >>> LENGTH_BITS)
    start = end
    row += ROW_WORDS
  }
}

function align(bytes: number): number {
  return (bytes + WORD_BYTES - 1) & -WORD_BYTES
}

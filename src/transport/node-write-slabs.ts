/**
 * Memory for joining the chunks of one write.
 *
 * Concurrent writes are placed one after the other in a slab; a slab is reused once all its writes are done, usually by
 * the very next one.
 */

/** Holds several typical writes. A stalled write pins this much. */
const SLAB_BYTES: number = 256 << 10
/** Spare slabs kept besides the one in use. */
const MAX_SPARE_SLABS = 4

/** Part of a slab, until released. */
export interface JoinedChunks {
  readonly bytes: Uint8Array
  readonly slab: Slab
}

interface Slab {
  readonly bytes: Buffer
  used: number
  /** Writes not done yet. */
  pending: number
}

export class WriteSlabs {
  #current: Slab = newSlab(SLAB_BYTES)
  readonly #spare: Slab[] = []

  /** Copies `chunks`, `total` bytes together, one after the other. */
  join(chunks: readonly Uint8Array[], total: number): JoinedChunks {
    const slab = this.#slabWithRoom(total)
    const start = slab.used
    for (const chunk of chunks) {
      slab.bytes.set(chunk, slab.used)
      slab.used += chunk.length
    }
    slab.pending++
    return { slab, bytes: slab.bytes.subarray(start, slab.used) }
  }

  /** The write is done and nothing reads its bytes any longer. */
  release({ slab }: JoinedChunks): void {
    slab.pending--
    if (slab.pending > 0) return
    slab.used = 0
    if (slab !== this.#current && slab.bytes.length === SLAB_BYTES && this.#spare.length < MAX_SPARE_SLABS) {
      this.#spare.push(slab)
    }
  }

  #slabWithRoom(bytes: number): Slab {
    if (bytes > SLAB_BYTES) return newSlab(bytes)
    if (this.#current.used + bytes > SLAB_BYTES) this.#current = this.#spare.pop() ?? newSlab(SLAB_BYTES)
    return this.#current
  }
}

function newSlab(size: number): Slab {
  return { bytes: Buffer.allocUnsafeSlow(size), used: 0, pending: 0 }
}

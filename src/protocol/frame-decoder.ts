/**
 * Splits a byte stream into frames, one per call of {@link FrameDecoder.next}.
 *
 * Knows nothing of sockets, keys or what frames mean (see decode.ts). It is pulled, so that a reader can stop between
 * two frames of one chunk (P-103).
 * Clauses: P-001 header, P-002 unknown types are skipped, P-003 and P-004 length bounds.
 */

import { EMPTY_BYTES, writeUint32 } from '../lib/bytes.ts'
import { ProtocolError } from '../lib/derp-error.ts'
import { FRAME_HEADER_LENGTH } from './constants.ts'
import { type FrameBounds, frameTypeName } from './frame-type.ts'

/**
 * An incremental decoder. After `next()` returns true the frame's fields are valid until the next call.
 *
 * A frame contained in one chunk is a view of that chunk: keeping it pins the chunk's memory. A frame that straddles
 * chunks is gathered in one exactly sized array, each byte copied once (but see {@link FrameBounds.trustedBytes}).
 * Bounds are checked once the header is complete, before anything is allocated.
 *
 * @example
 * ```ts
 * const decoder = new FrameDecoder(CLIENT_BOUNDS)
 * decoder.push(bytes)
 * while (decoder.next()) {
 *   const { type, buffer, start, length } = decoder
 *   const body = buffer.subarray(start + FRAME_HEADER_LENGTH, start + FRAME_HEADER_LENGTH + length)
 *   console.log(frameTypeName(type), decodeServerToClient(type, body))
 * }
 * ```
 */
export class FrameDecoder {
  /** Bounds for the next frames; may be replaced between frames. */
  bounds: FrameBounds
  /** Type of the current frame, or of the one whose header violated the bounds. */
  type = 0
  /** Body length of the current frame, header excluded. */
  length = 0
  /** Contains the current frame from {@link start}, header included; empty for a skipped frame. */
  buffer: Uint8Array = EMPTY_BYTES
  /** Offset of the frame's header in {@link buffer}. */
  start = 0
  /** The frame's type is not in the bounds: its body is discarded. */
  skipped = false
  /** Bytes copied so far to join frames that straddle chunks. */
  bytesCopied = 0

  #chunk: Uint8Array = EMPTY_BYTES
  #at = 0
  // A queue as two stacks, newest and oldest on top: shifting a single array costs its length each time.
  #arrived: Uint8Array[] = []
  #upcoming: Uint8Array[] = []
  #headerSeen = 0
  #type = 0
  #length = 0
  #partial: Uint8Array | undefined
  /** Bytes of the partial frame once complete, header included. */
  #partialLength = 0
  #filled = 0
  #toSkip = 0

  /** @param bounds of the first frames. */
  constructor(bounds: FrameBounds) {
    this.bounds = bounds
  }

  /** Adds the next bytes of the stream. They must not change until consumed. */
  push(chunk: Uint8Array): void {
    if (this.#at === this.#chunk.length && this.#upcoming.length === 0 && this.#arrived.length === 0) {
      this.#chunk = chunk
      this.#at = 0
    } else {
      this.#arrived.push(chunk)
    }
  }

  /** Whether a header has arrived without its whole body; never true for a skipped frame. */
  get isGathering(): boolean {
    return this.#partial !== undefined
  }

  /** Bytes added but not yet consumed. */
  get pendingBytes(): number {
    let total = this.#chunk.length - this.#at
    for (const chunk of this.#upcoming) total += chunk.length
    for (const chunk of this.#arrived) total += chunk.length
    return total
  }

  /** Bytes that the decoder keeps in memory: those not yet consumed, and what is reserved for a frame under way. */
  get heldBytes(): number {
    return this.pendingBytes + (this.#partial?.length ?? 0)
  }

  /**
   * Advances to the next frame.
   *
   * @returns false if more bytes are needed.
   * @throws ProtocolError if a header violates the bounds; the stream cannot be read further.
   */
  next(): boolean {
    for (;;) {
      if (this.#at === this.#chunk.length && !this.#nextChunk()) return false
      if (this.#toSkip > 0) this.#skipBody()
      else if (this.#partial !== undefined) {
        if (this.#gatherBody(this.#partial)) return true
      } else if (this.#headerSeen === 0 && this.#chunk.length - this.#at >= FRAME_HEADER_LENGTH) {
        if (this.#wholeHeader()) return true
      } else if (this.#gatherHeader()) return true
    }
  }

  #nextChunk(): boolean {
    if (this.#upcoming.length === 0) {
      const emptied = this.#upcoming
      this.#upcoming = this.#arrived.reverse()
      this.#arrived = emptied
    }
    const chunk = this.#upcoming.pop()
    this.#chunk = chunk ?? EMPTY_BYTES
    this.#at = 0
    if (chunk !== undefined) return true
    // The last frame must not pin its chunk while the connection is idle.
    this.buffer = EMPTY_BYTES
    this.start = 0
    return false
  }

  /** The common case: the header, and usually the body, are in this chunk. */
  #wholeHeader(): boolean {
    const chunk = this.#chunk
    const at = this.#at
    const type = chunk[at] as number
    const length =
      (chunk[at + 1] as number) * 0x1000000 +
      (((chunk[at + 2] as number) << 16) | ((chunk[at + 3] as number) << 8) | (chunk[at + 4] as number))
    if (!this.#isRead(type, length)) {
      this.#at = at + FRAME_HEADER_LENGTH
      return this.#emitSkipped(type, length)
    }
    const end = at + FRAME_HEADER_LENGTH + length
    if (end <= chunk.length) {
      this.#at = end
      return this.#emit(type, length, chunk, at)
    }
    this.#at = at + FRAME_HEADER_LENGTH
    return this.#startPartial(type, length)
  }

  /** Accumulates header bytes into numbers, so that no header byte is copied. */
  #gatherHeader(): boolean {
    while (this.#at < this.#chunk.length) {
      const byte = this.#chunk[this.#at++] as number
      if (this.#headerSeen === 0) this.#type = byte
      else this.#length = this.#length * 256 + byte
      if (++this.#headerSeen < FRAME_HEADER_LENGTH) continue
      const length = this.#length
      this.#headerSeen = 0
      this.#length = 0
      if (!this.#isRead(this.#type, length)) return this.#emitSkipped(this.#type, length)
      return this.#startPartial(this.#type, length)
    }
    return false
  }

  /** Checks the bounds; false if the frame is to be skipped. */
  #isRead(type: number, length: number): boolean {
    const { min, max, unknown, clause, lenient } = this.bounds
    const most = max[type] as number
    const fewest = min[type] as number
    if (length <= most && length >= fewest) return true
    if (most < 0) {
      if (unknown.skipUpTo === 'refuse') {
        throw new ProtocolError('ERR_DERP_FRAME_UNEXPECTED', `read frame ${frameTypeName(type)}: not expected here`, {
          clause: 'P-030',
        })
      }
      if (length > unknown.skipUpTo) throw tooLong(type, length, unknown.skipUpTo, clause)
      return false
    }
    if (lenient.has(type)) return false
    this.type = type
    if (length > most) throw tooLong(type, length, most, clause)
    throw new ProtocolError(
      'ERR_DERP_FRAME_TOO_SHORT',
      `read frame ${frameTypeName(type)} of ${length} bytes: fewer than ${fewest}`,
      { clause },
    )
  }

  #startPartial(type: number, length: number): boolean {
    const trusted = Math.min(length, this.bounds.trustedBytes)
    const partial = new Uint8Array(FRAME_HEADER_LENGTH + trusted)
    partial[0] = type
    writeUint32(partial, 1, length)
    if (length === 0) return this.#emit(type, length, partial, 0)
    this.#type = type
    this.#partialLength = FRAME_HEADER_LENGTH + length
    this.#partial = partial
    this.#filled = FRAME_HEADER_LENGTH
    return false
  }

  #gatherBody(partial: Uint8Array): boolean {
    const total = this.#partialLength
    const count = Math.min(this.#chunk.length - this.#at, total - this.#filled)
    const whole = this.#filled + count <= partial.length ? partial : this.#grow(partial, this.#filled + count)
    whole.set(this.#chunk.subarray(this.#at, this.#at + count), this.#filled)
    this.#at += count
    this.#filled += count
    this.bytesCopied += count
    if (this.#filled < total) return false
    this.#partial = undefined
    return this.#emit(this.#type, total - FRAME_HEADER_LENGTH, whole, 0)
  }

  /** Allocates more for a frame once more than the trusted size has arrived. */
  #grow(partial: Uint8Array, needed: number): Uint8Array {
    const larger = new Uint8Array(Math.min(this.#partialLength, Math.max(needed, 2 * partial.length)))
    larger.set(partial)
    this.bytesCopied += this.#filled
    this.#partial = larger
    return larger
  }

  #skipBody(): void {
    const count = Math.min(this.#chunk.length - this.#at, this.#toSkip)
    this.#at += count
    this.#toSkip -= count
  }

  #emit(type: number, length: number, buffer: Uint8Array, start: number): true {
    this.type = type
    this.length = length
    this.buffer = buffer
    this.start = start
    this.skipped = false
    return true
  }

  #emitSkipped(type: number, length: number): true {
    this.#toSkip = length
    this.#emit(type, length, EMPTY_BYTES, 0)
    this.skipped = true
    return true
  }
}

function tooLong(type: number, length: number, most: number, clause: string): ProtocolError {
  return new ProtocolError(
    'ERR_DERP_FRAME_TOO_LONG',
    `read frame ${frameTypeName(type)} of ${length} bytes: more than ${most}`,
    { clause },
  )
}

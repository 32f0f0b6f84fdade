/** A batch of encoded ForwardPacket frames, with packet and byte counts. */

import type { NodePublicKey } from '../keys/node-key.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH, MAX_PACKET_LENGTH } from '../protocol/constants.ts'
import { writeFrameHeader } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'

/** Fits the largest frame, or some hundred of typical size. */
const BATCH_BYTES: number = 128 << 10
const MAX_FRAME_BYTES: number = FRAME_HEADER_LENGTH + 2 * KEY_LENGTH + MAX_PACKET_LENGTH

export class ForwardBatch {
  packets = 0
  payloadBytes = 0
  readonly #memory = new Uint8Array(BATCH_BYTES)
  #filled = 0

  /** Total bytes of the frames. */
  get length(): number {
    return this.#filled
  }

  /** A view of all frames; valid until the batch is cleared. */
  get frames(): Uint8Array {
    return this.#memory.subarray(0, this.#filled)
  }

  /** Whether a frame of any size fits. */
  get hasRoom(): boolean {
    return this.#filled + MAX_FRAME_BYTES <= BATCH_BYTES
  }

  /** Adds the packet of the SendPacket frame in `buffer` from `start` to `end`; the frame includes the destination's key. */
  add(source: NodePublicKey, buffer: Uint8Array, start: number, end: number): void {
    const memory = this.#memory
    const at = this.#filled
    const bodyAt = start + FRAME_HEADER_LENGTH
    writeFrameHeader(memory, at, FrameType.ForwardPacket, KEY_LENGTH + end - bodyAt)
    memory.set(source.bytes, at + FRAME_HEADER_LENGTH)
    memory.set(buffer.subarray(bodyAt, end), at + FRAME_HEADER_LENGTH + KEY_LENGTH)
    this.#filled = at + KEY_LENGTH + end - start
    this.packets++
    this.payloadBytes += end - bodyAt - KEY_LENGTH
  }

  clear(): void {
    this.packets = 0
    this.payloadBytes = 0
    this.#filled = 0
  }
}

/**
 * What one part has taken of the packets that another has sent it: in memory that both see, so that it costs no message.
 *
 * The numbers wrap around; only differences mean something.
 */

import type { PacketKind } from '../../metrics/drop-reason.ts'

/** Slots: bytes of all frames, then packets and payload bytes by kind. */
const FRAME_BYTES = 0
const SLOTS = { other: 1, disco: 3 } as const
const COUNT = 5

/** Packets of one kind and their payload. */
export interface Share {
  readonly packets: number
  readonly bytes: number
}

/** The numbers of one side. */
export class LinkCount {
  readonly #numbers = new Int32Array(COUNT)

  add(kind: PacketKind, frameBytes: number, payloadBytes: number): void {
    const slot = SLOTS[kind]
    const numbers = this.#numbers
    numbers[FRAME_BYTES] = (numbers[FRAME_BYTES] as number) + frameBytes
    numbers[slot] = (numbers[slot] as number) + 1
    numbers[slot + 1] = (numbers[slot + 1] as number) + payloadBytes
  }

  /** Shows the numbers to the other side. */
  publish(tally: Int32Array): void {
    for (let slot = 0; slot < COUNT; slot++) Atomics.store(tally, slot, this.#numbers[slot] as number)
  }

  /** Bytes of frames that the other side has not taken yet. */
  bytesBeyond(tally: Int32Array): number {
    return this.#beyond(tally, FRAME_BYTES)
  }

  /** Packets of a kind that the other side has not taken yet. */
  packetsBeyond(tally: Int32Array, kind: PacketKind): Share {
    const slot = SLOTS[kind]
    return { packets: this.#beyond(tally, slot), bytes: this.#beyond(tally, slot + 1) }
  }

  #beyond(tally: Int32Array, slot: number): number {
    return ((this.#numbers[slot] as number) - Atomics.load(tally, slot)) | 0
  }
}

/** Memory for {@link LinkCount.publish}. */
export function createTally(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNT * Int32Array.BYTES_PER_ELEMENT)
}

/**
 * Acknowledges packets on a link through shared memory, so that it costs no message.
 *
 * The counts wrap around; only differences are meaningful.
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

/** The counts of one side. */
export class LinkCount {
  readonly #numbers = new Int32Array(COUNT)

  add(kind: PacketKind, frameBytes: number, payloadBytes: number): void {
    const slot = SLOTS[kind]
    const numbers = this.#numbers
    numbers[FRAME_BYTES] = (numbers[FRAME_BYTES] as number) + frameBytes
    numbers[slot] = (numbers[slot] as number) + 1
    numbers[slot + 1] = (numbers[slot + 1] as number) + payloadBytes
  }

  /** Publishes the counts to the other side. */
  publish(tally: Int32Array): void {
    for (let slot = 0; slot < COUNT; slot++) Atomics.store(tally, slot, this.#numbers[slot] as number)
  }

  /** Bytes of frames not acknowledged yet. */
  bytesBeyond(tally: Int32Array): number {
    return this.#beyond(tally, FRAME_BYTES)
  }

  /** Packets of a kind not acknowledged yet. */
  packetsBeyond(tally: Int32Array, kind: PacketKind): Share {
    const slot = SLOTS[kind]
    return { packets: this.#beyond(tally, slot), bytes: this.#beyond(tally, slot + 1) }
  }

  #beyond(tally: Int32Array, slot: number): number {
    return ((this.#numbers[slot] as number) - Atomics.load(tally, slot)) | 0
  }
}

/** Memory for the counts of a link in one direction. */
export function createTally(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * COUNT * Int32Array.BYTES_PER_ELEMENT)
}

/** What the receiver has acknowledged, and what the sender has posted. */
export function tallyIn(memory: SharedArrayBuffer): { readonly taken: Int32Array; readonly posted: Int32Array } {
  const bytes = COUNT * Int32Array.BYTES_PER_ELEMENT
  return { taken: new Int32Array(memory, 0, COUNT), posted: new Int32Array(memory, bytes, COUNT) }
}

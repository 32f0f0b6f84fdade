/**
 * Packets queued until their destination is found, limited per destination and in total bytes; beyond that the
 * oldest are dropped (P-310).
 */

import { copyBytes } from '../lib/bytes.ts'
import { Fifo } from '../lib/collections/fifo.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { FinderSource } from '../server/region-ports.ts'
import { MAX_WAITING_BYTES, MAX_WAITING_PACKETS } from './limits.ts'

export interface WaitingPacket {
  readonly source: FinderSource
  /** A SendPacket frame. */
  readonly frame: Uint8Array
  readonly kind: PacketKind
}

/** Payload size in bytes. */
export function payloadBytesOf({ frame }: WaitingPacket): number {
  return frame.length - FRAME_HEADER_LENGTH - KEY_LENGTH
}

/** Packets for one destination, oldest first. */
export type WaitingQueue = WaitingPacket[]

export class WaitingPackets {
  readonly #onDisplaced: (packet: WaitingPacket) => void
  readonly #maxBytes: number
  /** Oldest first; packets that no longer wait are removed when they become the oldest, so the first one waits. */
  readonly #all = new Fifo<{ readonly queue: WaitingQueue; readonly packet: WaitingPacket }>()
  readonly #waiting = new Set<WaitingPacket>()
  #bytes = 0

  constructor(onDisplaced: (packet: WaitingPacket) => void, maxBytes: number = MAX_WAITING_BYTES) {
    this.#onDisplaced = onDisplaced
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#waiting.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Copies the SendPacket frame from `start` to `end` of `buffer`. */
  add(queue: WaitingQueue, source: FinderSource, kind: PacketKind, frame: Uint8Array): void {
    const packet = { source, kind, frame: copyBytes(frame) }
    queue.push(packet)
    this.#all.push({ queue, packet })
    this.#waiting.add(packet)
    this.#bytes += packet.frame.length
    if (queue.length > MAX_WAITING_PACKETS) this.#displace(queue)
    while (this.#bytes > this.#maxBytes) this.#displace(this.#all.at(0)?.queue)
  }

  /** Removes and returns all packets of a queue. */
  takeAll(queue: WaitingQueue): WaitingQueue {
    const packets = queue.splice(0)
    for (const packet of packets) this.#remove(packet)
    return packets
  }

  #displace(queue: WaitingQueue | undefined): void {
    const packet = queue?.shift()
    if (packet === undefined) return
    this.#remove(packet)
    this.#onDisplaced(packet)
  }

  #remove(packet: WaitingPacket): void {
    this.#waiting.delete(packet)
    this.#bytes -= packet.frame.length
    for (let oldest = this.#all.at(0); oldest !== undefined; oldest = this.#all.at(0)) {
      if (this.#waiting.has(oldest.packet)) return
      this.#all.take()
    }
  }
}

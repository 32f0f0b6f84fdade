/**
 * Packets on their way to one mesh peer.
 *
 * Each is encoded straight from the chunk that it was received in, behind the others of its turn. What the link cannot
 * carry is dropped, the oldest first, and counted.
 */

import type { Clock } from '../lib/clock.ts'
import { Fifo } from '../lib/collections/fifo.ts'
import { ForwardDropReason, type MeshLinkCounters } from '../metrics/mesh-counters.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { Destination, PacketSource } from '../server/ports.ts'
import { ForwardBatch } from './forward-batch.ts'

/** Bytes that were handed to the connection and are not written yet. */
const MAX_UNDER_WAY_BYTES: number = 512 << 10
/** Bytes of a SendPacket frame before its payload. */
const SEND_PACKET_OVERHEAD: number = FRAME_HEADER_LENGTH + KEY_LENGTH
/** What may wait beyond that: the queue is for all clients of the mesh peer together. */
const MAX_WAITING_BYTES: number = 8 << 20
/** Batches kept for use again. */
const MAX_SPARE = 4

/** A connection to a mesh peer; a `DerpClient` has this shape. */
export interface ForwardCarrier {
  /** Sends encoded ForwardPacket frames, which must not change until the promise is settled. */
  forwardFrames(frames: Uint8Array): Promise<void>
}

export class ForwardSender implements Destination {
  /** Nothing is forwarded twice. */
  readonly local: undefined
  readonly #counters: MeshLinkCounters
  readonly #clock: Clock
  readonly #waiting = new Fifo<ForwardBatch>()
  readonly #spare: ForwardBatch[] = []
  #carrier: ForwardCarrier | undefined
  /** The last of those that wait, which has room. */
  #filling: ForwardBatch | undefined
  #waitingBytes = 0
  #underWayBytes = 0
  #willFlush = false

  constructor(counters: MeshLinkCounters, clock: Clock) {
    this.#counters = counters
    this.#clock = clock
  }

  /** Replaces the carrier; undefined while the link is down. Packets that wait for the old one are dropped. */
  use(carrier: ForwardCarrier | undefined): void {
    while (this.#dropOldest(ForwardDropReason.LinkDown));
    this.#underWayBytes = 0
    this.#carrier = carrier
  }

  takeSendPacket({ key }: PacketSource, buffer: Uint8Array, start: number, end: number): void {
    if (this.#carrier === undefined) {
      this.#drop(ForwardDropReason.LinkDown, 1, end - start - SEND_PACKET_OVERHEAD)
      return
    }
    const batch = this.#filling ?? this.#nextBatch()
    const before = batch.length
    batch.add(key, buffer, start, end)
    this.#waitingBytes += batch.length - before
    if (!batch.hasRoom) this.#filling = undefined
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#dropOldest(ForwardDropReason.QueueFull)
    if (this.#willFlush) return
    this.#willFlush = true
    this.#clock.afterTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#willFlush = false
    if (this.#carrier !== undefined) this.#send(this.#carrier)
  }

  #send(carrier: ForwardCarrier): void {
    while (this.#underWayBytes < MAX_UNDER_WAY_BYTES) {
      const batch = this.#take()
      if (batch === undefined) return
      this.#underWayBytes += batch.length
      carrier.forwardFrames(batch.frames).then(
        () => this.#onWritten(carrier, batch),
        () => {
          this.#drop(ForwardDropReason.WriteError, batch.packets, batch.payloadBytes)
          this.#release(batch)
        },
      )
    }
  }

  #onWritten(carrier: ForwardCarrier, batch: ForwardBatch): void {
    const { forwarded } = this.#counters
    forwarded.packets += batch.packets
    forwarded.bytes += batch.payloadBytes
    const { length } = batch
    this.#release(batch)
    if (carrier !== this.#carrier) return
    this.#underWayBytes -= length
    this.#send(carrier)
  }

  #nextBatch(): ForwardBatch {
    const batch = this.#spare.pop() ?? new ForwardBatch()
    this.#waiting.push(batch)
    this.#filling = batch
    return batch
  }

  #take(): ForwardBatch | undefined {
    const batch = this.#waiting.take()
    if (batch === this.#filling) this.#filling = undefined
    this.#waitingBytes -= batch?.length ?? 0
    return batch
  }

  /** Reports whether there was one. */
  #dropOldest(reason: ForwardDropReason): boolean {
    const batch = this.#take()
    if (batch === undefined) return false
    this.#drop(reason, batch.packets, batch.payloadBytes)
    this.#release(batch)
    return true
  }

  /** Keeps the memory of a batch that nobody reads any more. */
  #release(batch: ForwardBatch): void {
    batch.clear()
    if (this.#spare.length < MAX_SPARE) this.#spare.push(batch)
  }

  #drop(reason: ForwardDropReason, packets: number, bytes: number): void {
    const amount = this.#counters.dropped[reason]
    amount.packets += packets
    amount.bytes += bytes
  }
}

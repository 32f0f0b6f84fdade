/**
 * Send queue to one mesh peer.
 *
 * Packets are encoded straight from the received chunk into the current batch. When the queue is full, the oldest
 * packets are dropped and counted.
 */

import type { Clock } from '../lib/clock.ts'
import { Fifo } from '../lib/collections/fifo.ts'
import { ForwardDropReason, type MeshLinkCounters } from '../metrics/mesh-counters.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { Destination, PacketSource } from '../server/ports.ts'
import { ForwardBatch } from './forward-batch.ts'

/** Bytes passed to the connection but not yet written. */
const MAX_IN_FLIGHT_BYTES: number = 512 << 10
/** Bytes of a SendPacket frame before its payload. */
const SEND_PACKET_OVERHEAD: number = FRAME_HEADER_LENGTH + KEY_LENGTH
/** Bytes queued beyond that, for all clients of the mesh peer together. */
const MAX_QUEUED_BYTES: number = 8 << 20
/** Bytes that wait for one mesh peer. */
export const MAX_LINK_BYTES: number = MAX_IN_FLIGHT_BYTES + MAX_QUEUED_BYTES
/** Batches kept for reuse. */
const MAX_SPARE = 4

/** A connection to a mesh peer; `DerpClient` implements this. */
export interface ForwardCarrier {
  /** Sends encoded ForwardPacket frames; the buffer must not change until the promise settles. */
  forwardFrames(frames: Uint8Array): Promise<void>
}

export class ForwardSender implements Destination {
  /** Not local: forwarded packets are not forwarded again. */
  readonly local: undefined
  readonly #counters: MeshLinkCounters
  readonly #clock: Clock
  readonly #isComing: () => boolean
  readonly #queue = new Fifo<ForwardBatch>()
  readonly #spare: ForwardBatch[] = []
  #carrier: ForwardCarrier | undefined
  /** The last queued batch, while it has room. */
  #filling: ForwardBatch | undefined
  #queuedBytes = 0
  #inFlightBytes = 0
  #willFlush = false

  /** @param isComing asked when a packet comes and there is no carrier: whether it may wait for one. Default: no. */
  constructor(counters: MeshLinkCounters, clock: Clock, isComing = () => false) {
    this.#counters = counters
    this.#clock = clock
    this.#isComing = isComing
  }

  /** Replaces the carrier; undefined while the link is down. Drops what is queued, unless that has waited for a carrier. */
  use(carrier: ForwardCarrier | undefined): void {
    if (carrier === undefined || this.#carrier !== undefined) while (this.#dropOldest(ForwardDropReason.LinkDown));
    this.#inFlightBytes = 0
    this.#carrier = carrier
    if (carrier === undefined) this.#spare.length = 0
    else this.#send(carrier)
  }

  takeSendPacket({ key }: PacketSource, buffer: Uint8Array, start: number, end: number): void {
    if (this.#carrier === undefined && !this.#isComing()) {
      this.#drop(ForwardDropReason.LinkDown, 1, end - start - SEND_PACKET_OVERHEAD)
      return
    }
    const batch = this.#filling ?? this.#nextBatch()
    const before = batch.length
    batch.add(key, buffer, start, end)
    this.#queuedBytes += batch.length - before
    if (!batch.hasRoom) this.#filling = undefined
    if (this.#queuedBytes > MAX_QUEUED_BYTES) this.#dropOldest(ForwardDropReason.QueueFull)
    if (this.#willFlush) return
    this.#willFlush = true
    this.#clock.afterTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#willFlush = false
    if (this.#carrier !== undefined) this.#send(this.#carrier)
  }

  #send(carrier: ForwardCarrier): void {
    while (this.#inFlightBytes < MAX_IN_FLIGHT_BYTES) {
      const batch = this.#take()
      if (batch === undefined) return
      this.#inFlightBytes += batch.length
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
    this.#inFlightBytes -= length
    this.#send(carrier)
  }

  #nextBatch(): ForwardBatch {
    const batch = this.#spare.pop() ?? new ForwardBatch()
    this.#queue.push(batch)
    this.#filling = batch
    return batch
  }

  #take(): ForwardBatch | undefined {
    const batch = this.#queue.take()
    if (batch === this.#filling) this.#filling = undefined
    this.#queuedBytes -= batch?.length ?? 0
    return batch
  }

  /** Whether there was one. */
  #dropOldest(reason: ForwardDropReason): boolean {
    const batch = this.#take()
    if (batch === undefined) return false
    this.#drop(reason, batch.packets, batch.payloadBytes)
    this.#release(batch)
    return true
  }

  /** Recycles a batch that is no longer in use. */
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

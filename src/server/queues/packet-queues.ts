/**
 * What waits for one slow reader: disco packets and all others, each in a queue of its own that loses its oldest when full.
 *
 * Clauses: P-100 queues, P-102 drops, P-104 bound on all queues.
 */

import type { RelayCounters } from '../../metrics/counters.ts'
import { DropReason, type PacketKind } from '../../metrics/drop-reason.ts'
import type { QueueAge } from './queue-age.ts'
import type { QueueBudget, QueueHolder } from './queue-budget.ts'
import { SendQueue, type WaitingPacket } from './send-queue.ts'

/** What the queues of a relay share. */
export interface QueuesHost {
  readonly counters: RelayCounters
  readonly queueAge: QueueAge
  readonly queueBudget: QueueBudget
  readonly sendQueuePackets: number
  readonly maxWriteBytes: number
  /** Milliseconds of the relay's clock. */
  now(): number
}

const KINDS: readonly PacketKind[] = ['other', 'disco']

export class PacketQueues implements QueueHolder {
  readonly #host: QueuesHost
  readonly #queues: Record<PacketKind, SendQueue>

  constructor(host: QueuesHost) {
    this.#host = host
    this.#queues = { other: new SendQueue(host.queueBudget), disco: new SendQueue(host.queueBudget) }
  }

  get packets(): number {
    return this.#queues.other.length + this.#queues.disco.length
  }

  get queuedBytes(): number {
    return this.#queues.other.bytes + this.#queues.disco.bytes
  }

  /** The packet's buffer must not change until it has been taken or settled. */
  push(packet: WaitingPacket, kind: PacketKind): void {
    const { sendQueuePackets, maxWriteBytes } = this.#host
    const queue = this.#queues[kind]
    queue.push(packet)
    // More than one write's worth cannot be sent by the end of the turn.
    if (queue.length > sendQueuePackets && queue.bytes > maxWriteBytes) this.#displace(kind, this.#host.now())
  }

  take(kind: PacketKind): WaitingPacket | undefined {
    return this.#queues[kind].take()
  }

  /** The turn has ended: keeps what the queues may hold, as copies. */
  settle(): void {
    if (this.packets === 0) return
    const nowMs = this.#host.now()
    for (const kind of KINDS) {
      const queue = this.#queues[kind]
      while (queue.length > this.#host.sendQueuePackets) this.#displace(kind, nowMs)
      queue.settle(nowMs)
    }
    this.#host.queueBudget.add(this)
  }

  /** All that waited has been taken. */
  emptied(): void {
    this.#host.queueBudget.remove(this)
  }

  cutQueues(maxBytes: number): void {
    const nowMs = this.#host.now()
    for (const kind of KINDS) {
      while (this.queuedBytes > maxBytes && this.#displace(kind, nowMs, DropReason.QueueBudget));
    }
  }

  /** Drops everything. */
  close(reason: DropReason): void {
    for (const kind of KINDS) {
      for (let packet = this.take(kind); packet !== undefined; packet = this.take(kind)) {
        this.#host.counters.drop(reason, kind, packet.payloadBytes)
      }
    }
    this.emptied()
  }

  /** Drops the oldest packet of a kind; returns whether there was one. */
  #displace(kind: PacketKind, nowMs: number, reason: DropReason = DropReason.QueueHead): boolean {
    const oldest = this.take(kind)
    if (oldest === undefined) return false
    this.#host.counters.drop(reason, kind, oldest.payloadBytes)
    this.#host.queueAge.recordMany(1, nowMs - (oldest.settledAtMs ?? nowMs))
    return true
  }
}

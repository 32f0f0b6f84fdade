/**
 * Packets queued for one mesh peer.
 *
 * Accepts every packet at once and never fails: what the link cannot carry is dropped, oldest first, and counted.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import { copyBytes } from '../lib/bytes.ts'
import { ForwardDropReason, type MeshLinkCounters } from '../metrics/mesh-counters.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { Destination, PacketSource } from '../server/ports.ts'

/** Maximum payload bytes passed to the connection but not yet written. */
const MAX_UNDER_WAY_BYTES: number = 256 << 10
/** Maximum packets queued beyond that, for all clients of the mesh peer together. */
const MAX_WAITING_PACKETS = 512
const MAX_WAITING_BYTES: number = 4 << 20

/** A connection to a mesh peer; a `DerpClient` has this shape. It copies `data` before it returns. */
export interface ForwardCarrier {
  forwardPacket(source: NodePublicKey, destination: NodePublicKey, data: Uint8Array): Promise<void>
}

interface Waiting {
  readonly source: NodePublicKey
  readonly destination: NodePublicKey
  readonly payload: Uint8Array
}

export class ForwardQueue {
  readonly #counters: MeshLinkCounters
  #carrier: ForwardCarrier | undefined
  #underWayBytes = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0

  constructor(counters: MeshLinkCounters) {
    this.#counters = counters
  }

  /** Sends on `carrier` from now on; undefined for none. Packets already queued belong to the previous connection. */
  use(carrier: ForwardCarrier | undefined): void {
    for (const { payload } of this.#waiting) this.#drop(ForwardDropReason.LinkDown, payload.length)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#underWayBytes = 0
    this.#carrier = carrier
  }

  destinationFor(client: NodePublicKey): Destination {
    return new QueueDestination(this, client)
  }

  /** Queues a packet. `payload` is valid until the call returns. */
  push(source: NodePublicKey, destination: NodePublicKey, payload: Uint8Array): void {
    if (this.#carrier === undefined) this.#drop(ForwardDropReason.LinkDown, payload.length)
    else if (this.#underWayBytes < MAX_UNDER_WAY_BYTES) this.#send(this.#carrier, source, destination, payload)
    else this.#wait({ source, destination, payload: copyBytes(payload) })
  }

  #send(carrier: ForwardCarrier, source: NodePublicKey, destination: NodePublicKey, payload: Uint8Array): void {
    const bytes = payload.length
    this.#underWayBytes += bytes
    carrier.forwardPacket(source, destination, payload).then(
      () => {
        this.#counters.forwarded.packets++
        this.#counters.forwarded.bytes += bytes
        this.#onWritten(carrier, bytes)
      },
      () => this.#drop(ForwardDropReason.WriteError, bytes),
    )
  }

  #onWritten(carrier: ForwardCarrier, bytes: number): void {
    if (carrier !== this.#carrier) return
    this.#underWayBytes -= bytes
    while (this.#underWayBytes < MAX_UNDER_WAY_BYTES) {
      const next = this.#take()
      if (next === undefined) return
      this.#send(carrier, next.source, next.destination, next.payload)
    }
  }

  #wait(packet: Waiting): void {
    this.#waiting.push(packet)
    this.#waitingBytes += packet.payload.length
    while (this.#waiting.length > MAX_WAITING_PACKETS || this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#drop(ForwardDropReason.QueueFull, this.#take()?.payload.length ?? 0)
    }
  }

  #take(): Waiting | undefined {
    const oldest = this.#waiting.shift()
    this.#waitingBytes -= oldest?.payload.length ?? 0
    return oldest
  }

  #drop(reason: ForwardDropReason, bytes: number): void {
    this.#counters.dropped[reason].packets++
    this.#counters.dropped[reason].bytes += bytes
  }
}

/** A client of the mesh peer. */
class QueueDestination implements Destination {
  readonly local: undefined
  readonly #queue: ForwardQueue
  readonly #client: NodePublicKey

  constructor(queue: ForwardQueue, client: NodePublicKey) {
    this.#queue = queue
    this.#client = client
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number): void {
    const payload = buffer.subarray(start + FRAME_HEADER_LENGTH + KEY_LENGTH, end)
    this.#queue.push(source.key, this.#client, payload)
  }
}

/** A route to a key at another relay of the region. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { Destination, PacketSource } from '../server/ports.ts'
import type { Neighbour } from './neighbour.ts'
import type { Stamp } from './stamp.ts'

export class RemoteRoute implements Destination {
  /** Packets are never forwarded twice. */
  readonly local: undefined
  readonly key: NodePublicKey
  neighbour: Neighbour
  /** Time of the login there; {@link UNKNOWN_TIME} if the route was learned from a packet. */
  time: number
  /** Whether packets use it; otherwise it is kept for clients to notify when the key leaves. */
  isOpen = false
  /** It takes precedence over older connections of the key at this relay (P-304). */
  isNewest = false
  /** Used since the last idle check. */
  isUsed = true
  /** Time of the last known use, in milliseconds. */
  usedAtMs: number
  /** The generation in which its relay last confirmed that it has the key. */
  confirmedIn: number

  constructor(key: NodePublicKey, { neighbour, time }: Place, nowMs: number, generation: number) {
    this.key = key
    this.neighbour = neighbour
    this.time = time
    this.usedAtMs = nowMs
    this.confirmedIn = generation
  }

  get stamp(): Stamp {
    return { time: this.time, relay: this.neighbour.id }
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.isUsed = true
    this.neighbour.link.takeSendPacket(source, buffer, start, end, kind)
  }
}

/** A login at another relay. */
export interface Place {
  readonly neighbour: Neighbour
  readonly time: number
}

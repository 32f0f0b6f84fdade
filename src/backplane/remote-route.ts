/** Where one key is: at another relay of the region. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { Destination, PacketSource } from '../server/ports.ts'
import type { Neighbour } from './neighbour.ts'
import type { Stamp } from './stamp.ts'

export class RemoteRoute implements Destination {
  /** Nothing is forwarded twice. */
  readonly local: undefined
  readonly key: NodePublicKey
  neighbour: Neighbour
  /** Of the login there; {@link UNKNOWN_TIME} if a packet has taught the route. */
  time: number
  /** Packets use it; if not, it is kept for those who are to be told that the key has left. */
  isOpen = false
  /** It comes before connections of the key at this relay, which are older (P-304). */
  isNewest = false
  /** Since the last look at whether it is idle. */
  isUsed = true
  /** When it was last known to be used, in milliseconds. */
  usedAtMs: number
  /** The generation in which its relay last said that it has the key. */
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

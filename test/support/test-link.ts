/** A link that records packets, and packets for any link. */

import type { NodePublicKey } from '../../src/keys/node-key.ts'
import type { PacketKind } from '../../src/metrics/drop-reason.ts'
import { encodeClientToServer } from '../../src/protocol/encode.ts'
import type { Destination, Link, LinkRoutes, PacketSource, RouteTable } from '../../src/server/ports.ts'

/** Bytes of a SendPacket frame before its payload. */
const SEND_PACKET_OVERHEAD = 37

export interface LinkedPacket {
  readonly source: NodePublicKey
  readonly destination: NodePublicKey
  readonly text: string
}

export class TestLink implements Link {
  readonly packets: LinkedPacket[] = []
  readonly routes: LinkRoutes

  constructor(table: RouteTable) {
    this.routes = table.addLink(this)
  }

  /** Texts of all packets. */
  get texts(): string[] {
    return this.packets.map(({ text }) => text)
  }

  destinationFor(destination: NodePublicKey): Destination {
    return {
      local: undefined,
      takeSendPacket: ({ key: source }: PacketSource, buffer: Uint8Array, start: number, end: number) => {
        const text = new TextDecoder().decode(buffer.subarray(start + SEND_PACKET_OVERHEAD, end))
        this.packets.push({ source, destination, text })
      },
    }
  }
}

/** Passes a packet to a destination like a session; returns its buffer. */
export function sendTo(
  to: Destination,
  { source, destination, data }: { source: NodePublicKey; destination: NodePublicKey; data: Uint8Array },
  kind: PacketKind = 'other',
): Uint8Array {
  const frame = encodeClientToServer({ type: 'sendPacket', destination, data })
  to.takeSendPacket({ key: source }, frame, 0, frame.length, kind)
  return frame
}

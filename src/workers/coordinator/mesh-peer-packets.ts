/** Packets of workers' clients for clients of siblings: the links to those are here (P-072). */

import { NodePublicKey } from '../../keys/node-key.ts'
import type { RelayCounters } from '../../metrics/counters.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import { KEY_LENGTH } from '../../protocol/constants.ts'
import type { PacketForwarder } from '../../server/ports.ts'
import type { Registry } from '../../server/registry.ts'
import { kindOf, overheadOf } from '../link/frame-tag.ts'
import type { FrameSink } from '../link/link-batch.ts'
import type { RemoteMember } from './worker-handle.ts'

export class SiblingPackets implements FrameSink {
  readonly #registry: Registry<RemoteMember, PacketForwarder>
  readonly #counters: RelayCounters

  constructor(registry: Registry<RemoteMember, PacketForwarder>, counters: RelayCounters) {
    this.#registry = registry
    this.#counters = counters
  }

  takeFrame(_to: number, bytes: Uint8Array, start: number, end: number, tag: number): void {
    const payloadAt = start + overheadOf(tag)
    const destination = NodePublicKey.fromBytes(bytes.subarray(start + KEY_LENGTH, payloadAt))
    const forwarder = this.#registry.routeOf(destination)?.forwarder
    if (forwarder === undefined) {
      // It has left the sibling meanwhile.
      this.#counters.drop(DropReason.UnknownDest, kindOf(tag), end - payloadAt)
      return
    }
    const source = NodePublicKey.fromBytes(bytes.subarray(start, start + KEY_LENGTH))
    forwarder.forwardPacket(source, destination, bytes.subarray(payloadAt, end))
  }
}

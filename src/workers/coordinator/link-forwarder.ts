/** Forwards packets from workers' clients to clients of other relays over the coordinator's links (P-072). */

import { NodePublicKey } from '../../keys/node-key.ts'
import type { RelayCounters } from '../../metrics/counters.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import type { Link } from '../../server/ports.ts'
import type { Registry } from '../../server/registry.ts'
import { kindOf, overheadOf } from '../link/frame-tag.ts'
import type { FrameSink } from '../link/link-batch.ts'
import type { RemoteMember } from './worker-handle.ts'

export class LinkForwarder implements FrameSink {
  readonly #registry: Registry<RemoteMember, Link>
  readonly #counters: RelayCounters

  constructor(registry: Registry<RemoteMember, Link>, counters: RelayCounters) {
    this.#registry = registry
    this.#counters = counters
  }

  /** Takes the source key followed by a SendPacket frame. */
  takeFrame(_to: number, bytes: Uint8Array, start: number, end: number, tag: number): void {
    const frameAt = start + KEY_LENGTH
    const keyAt = frameAt + FRAME_HEADER_LENGTH
    const destination = NodePublicKey.fromBytes(bytes.subarray(keyAt, keyAt + KEY_LENGTH))
    const link = this.#registry.routeOf(destination)?.link
    if (link === undefined) {
      // The client has left the other relay meanwhile.
      this.#counters.drop(DropReason.UnknownDest, kindOf(tag), end - start - overheadOf(tag))
      return
    }
    this.#counters.packetsForwardedOut++
    const key = NodePublicKey.fromBytes(bytes.subarray(start, frameAt))
    link.destinationFor(destination).takeSendPacket({ key }, bytes, frameAt, end, kindOf(tag))
  }
}

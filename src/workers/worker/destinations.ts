/** A worker's links: to clients of other workers, and through the coordinator to clients of other relays. */

import type { PacketKind } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH } from '../../protocol/constants.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import type { Destination, Link, PacketSource, Recipient } from '../../server/ports.ts'
import { forwardTag, recvPacketTag, sourcelessTag } from '../link/frame-tag.ts'
import type { LinkSender } from '../link/packet-link.ts'

/** To another worker, which identifies its clients by number; the coordinator assigns numbers to keys. */
export class WorkerLink implements Link<number> {
  readonly #sender: LinkSender

  constructor(sender: LinkSender) {
    this.#sender = sender
  }

  destinationFor(id: number): RemoteClient {
    return new RemoteClient(this.#sender, id)
  }
}

/** To the coordinator, whose links reach clients of other relays (P-072). */
export class CoordinatorLink implements Link {
  readonly #clients: ViaCoordinator

  constructor(sender: LinkSender) {
    this.#clients = new ViaCoordinator(sender)
  }

  /** Shared by all keys: a SendPacket frame names its destination. */
  destinationFor(): Destination {
    return this.#clients
  }
}

/** A client of another worker. */
class RemoteClient implements Destination, Recipient {
  readonly #sender: LinkSender
  readonly #id: number

  constructor(sender: LinkSender, id: number) {
    this.#sender = sender
    this.#id = id
  }

  get local(): RemoteClient {
    return this
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    // Same as a session of this worker does (P-051).
    buffer[start] = FrameType.RecvPacket
    buffer.set(source.key.bytes, start + FRAME_HEADER_LENGTH)
    this.#sender.send(this.#id, buffer, start, end, recvPacketTag(kind))
  }

  takeForwarded(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#sender.send(this.#id, buffer, start, end, recvPacketTag(kind))
  }

  takeForwardedWithoutSource(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#sender.send(this.#id, buffer, start, end, sourcelessTag(kind))
  }
}

class ViaCoordinator implements Destination {
  readonly local: undefined
  readonly isCountedElsewhere = true
  readonly #sender: LinkSender

  constructor(sender: LinkSender) {
    this.#sender = sender
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#sender.sendPieces(0, source.key.bytes, buffer.subarray(start, end), forwardTag(kind))
  }
}

/** Where packets go that leave this part of the relay: to a client of another part, or of a sibling. */

import type { RelayCounters } from '../../metrics/counters.ts'
import type { PacketKind } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH } from '../../protocol/constants.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import type { Destination, Recipient } from '../../server/ports.ts'
import type { Session } from '../../server/session.ts'
import { forwardedTag, recvPacketTag, sourcelessTag } from '../link/frame-tag.ts'
import type { LinkSender } from '../link/packet-link.ts'

/** A session of another worker. */
export class RemoteClient implements Destination, Recipient {
  readonly #link: LinkSender
  readonly #id: number

  /** @param id of the session, at its worker. */
  constructor(link: LinkSender, id: number) {
    this.#link = link
    this.#id = id
  }

  get local(): RemoteClient {
    return this
  }

  takeSendPacket(source: Session, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    // As a session of this worker does it (P-051).
    buffer[start] = FrameType.RecvPacket
    buffer.set(source.key.bytes, start + FRAME_HEADER_LENGTH)
    this.#link.send(this.#id, buffer, start, end, recvPacketTag(kind))
  }

  takeForwarded(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#link.send(this.#id, buffer, start, end, recvPacketTag(kind))
  }

  takeForwardedWithoutSource(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#link.send(this.#id, buffer, start, end, sourcelessTag(kind))
  }
}

/** All clients of siblings: the links to those are the coordinator's (P-072). */
export class SiblingClient implements Destination {
  readonly local: undefined
  readonly #link: LinkSender
  readonly #counters: RelayCounters

  constructor(link: LinkSender, counters: RelayCounters) {
    this.#link = link
    this.#counters = counters
  }

  takeSendPacket(source: Session, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#counters.packetsForwardedOut++
    const body = buffer.subarray(start + FRAME_HEADER_LENGTH, end)
    this.#link.sendPieces(0, source.key.bytes, body, forwardedTag(kind))
  }
}

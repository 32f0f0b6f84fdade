/** A client connection to a simulated relay. Its packets contain sender and sequence number. */

import type { RelayId } from '../backplane/stamp.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { readUint32, writeUint32 } from '../lib/bytes.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import { encodeClientToServer } from '../protocol/encode.ts'
import type { LocalClient, PacketSource, Recipient } from '../server/ports.ts'
import type { FinderSource } from '../server/region-ports.ts'

const INFO: ClientInfo = { canAckPings: false, isProber: false }
const PAYLOAD_LENGTH = 8

/** Observes what clients receive. */
export interface ClientObserver {
  /** A packet has arrived: the `sequence`th from the connection `from` to this key. */
  onPacket(client: SimClient, from: number, sequence: number): void
  onPeerLeft(client: SimClient, peer: NodePublicKey): void
  onNotHere(client: SimClient, peer: NodePublicKey): void
}

/** A client's view of the relay. */
export interface ClientHost {
  readonly id: RelayId
  /** Handles a SendPacket frame. */
  takePacket(source: SimClient, frame: Uint8Array): void
  /** Subscribes the client to `peer` leaving. */
  awaitDeparture(client: SimClient, peer: NodePublicKey): void
  clientEnded(client: SimClient): void
}

export class SimClient implements LocalClient, Recipient, FinderSource {
  /** Unique per connection. */
  readonly number: number
  readonly key: NodePublicKey
  readonly relay: ClientHost
  readonly remote: undefined
  readonly flags = 1
  readonly info: ClientInfo = INFO
  readonly canMesh = false
  readonly token: undefined
  isDuplicate = false
  isClosed = false
  readonly #observer: ClientObserver
  readonly #heardFrom = new Set<string>()

  constructor(number: number, key: NodePublicKey, relay: ClientHost, observer: ClientObserver) {
    this.number = number
    this.key = key
    this.relay = relay
    this.#observer = observer
  }

  get local(): Recipient {
    return this
  }

  /** Sends the `sequence`th packet to a key. */
  send(destination: NodePublicKey, sequence: number): void {
    const data = new Uint8Array(PAYLOAD_LENGTH)
    writeUint32(data, 0, this.number)
    writeUint32(data, 4, sequence)
    this.relay.takePacket(this, encodeClientToServer({ type: 'sendPacket', destination, data }))
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number): void {
    this.#take(source.key, buffer, start + FRAME_HEADER_LENGTH + KEY_LENGTH)
  }

  takeForwarded(buffer: Uint8Array, start: number): void {
    const sourceAt = start + FRAME_HEADER_LENGTH
    this.#take(keyAt(buffer, sourceAt), buffer, sourceAt + KEY_LENGTH)
  }

  takeForwardedWithoutSource(): void {}

  tellPeerLeft(peer: NodePublicKey): void {
    this.#observer.onPeerLeft(this, peer)
  }

  tellPresence(): void {}

  tellNotHere(peer: NodePublicKey, _kind: PacketKind): void {
    this.#observer.onNotHere(this, peer)
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.relay.clientEnded(this)
  }

  #take(source: NodePublicKey, buffer: Uint8Array, payloadAt: number): void {
    this.#observer.onPacket(this, readUint32(buffer, payloadAt), readUint32(buffer, payloadAt + 4))
    const text = source.toHex()
    if (this.#heardFrom.has(text)) return
    this.#heardFrom.add(text)
    this.relay.awaitDeparture(this, source)
  }
}

/** A copy of the key at `offset`. */
export function keyAt(bytes: Uint8Array, offset: number): NodePublicKey {
  return NodePublicKey.fromBytes(bytes.subarray(offset, offset + KEY_LENGTH))
}

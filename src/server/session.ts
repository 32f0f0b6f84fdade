/**
 * A logged-in client: passes its frames to their handlers, and takes packets for it.
 * Knows nothing of sockets, HTTP or how the login went.
 * Clauses: P-002, P-003, P-033, P-037, P-051, P-054, P-060 to P-062, P-065, P-070, P-071, P-090, P-091, P-103, P-123.
 */

import { KeyLookup } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import { DerpError, ProtocolError } from '../lib/derp-error.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import { FRAME_HEADER_LENGTH } from '../protocol/constants.ts'
import { encodePeerGone, encodePeerPresent, encodeServerToClient } from '../protocol/encode.ts'
import type { FrameDecoder } from '../protocol/frame-decoder.ts'
import { FrameType } from '../protocol/frame-type.ts'
import { PeerGoneReason } from '../protocol/messages.ts'
import type { Conn, ConnHandler } from '../transport/conn.ts'
import { ClientPings } from './client-pings.ts'
import type { ConnectionTally } from './connection-tally.ts'
import { Health } from './health.ts'
import type { SessionHost, SessionIdentity } from './hosts.ts'
import type { Interval } from './interval.ts'
import { startIntervals } from './keep-alive.ts'
import { NotHereLimit, SeenSources } from './peer-gone.ts'
import type { Destination, LocalClient, PacketSource, Propagated, Recipient } from './ports.ts'
import { presenceFlags } from './presence-flags.ts'
import { NO_SOURCE, type Writer } from './queues/writer.ts'
import type { RateLimit } from './reading/rate-limit.ts'
import { ReadPacer } from './reading/read-pacer.ts'
import { type FrameTarget, Reader } from './reading/reader.ts'
import type { PresenceChange } from './registry.ts'

/** Home announcements within this time after login count as part of the login, not as moves. */
const HOME_SETTLE_MS = 5_000

/** The relay's end of a client's connection, from its login to its end. */
export class Session implements SessionIdentity, ConnHandler, FrameTarget, LocalClient, PacketSource, Recipient {
  /** @internal */
  readonly relay: SessionHost<Session>
  readonly key: NodePublicKey
  readonly info: ClientInfo
  /** It showed the mesh key: it may forward, watch and close peers, and is exempt from rate limits. */
  readonly canMesh: boolean
  /** It would have preferred another relay of the region, by the header `Ideal-Node`. */
  readonly notIdeal: boolean
  /** Bearer token of the upgrade request, if there was one: a secret, kept to ask admission again. */
  readonly token: string | undefined
  /** Where the client connected from, if known. */
  readonly remote: AddressPort | undefined
  /** Reports problems to the client; undefined unless enabled. @internal */
  readonly health: Health | undefined
  /** Pending pings; undefined unless enabled and supported by the client. @internal */
  readonly pings: ClientPings | undefined
  /** Routes for the client's packets. @internal */
  readonly routes: KeyLookup<Destination>
  /** What has passed over this connection. */
  readonly tally: ConnectionTally
  /** When the login was complete, in milliseconds of the relay's clock. */
  readonly connectedAtMs: number
  readonly #conn: Conn
  readonly #reader: Reader
  readonly #writer: Writer
  #preferred = false
  #closed = false
  #isDuplicate = false
  #intervals: readonly Interval[] = []
  readonly #notHere = new NotHereLimit()
  #sources: SeenSources | undefined
  /** Set while the session is ending in an orderly way. */
  #onEnd: ((isWhole: boolean) => void) | undefined

  /** @internal */
  constructor(
    relay: SessionHost<Session>,
    conn: Conn,
    parts: { decoder: FrameDecoder; writer: Writer },
    identity: SessionIdentity,
  ) {
    this.relay = relay
    this.key = identity.key
    this.info = identity.info
    this.canMesh = identity.canMesh
    this.notIdeal = identity.notIdeal
    this.token = identity.token
    this.remote = conn.remote
    this.routes = new KeyLookup(relay.routes)
    this.#conn = conn
    this.#writer = parts.writer
    this.tally = parts.writer.tally
    this.connectedAtMs = relay.now()
    const { tellHealth, pingClientsMs } = relay.options
    if (tellHealth)
      this.health = new Health(problem => this.sendControl(encodeServerToClient({ type: 'health', problem })))
    if (pingClientsMs > 0 && this.info.canAckPings) this.pings = new ClientPings(relay.counters.clientRoundTripMs)
    this.#reader = new Reader(conn, parts.decoder, new ReadPacer(relay, this), this)
    this.limitRate(relay.rateLimit)
  }

  /** Shares its key with another session; set by the directory. @internal */
  get isDuplicate(): boolean {
    return this.#isDuplicate
  }

  /** @internal */
  set isDuplicate(isDuplicate: boolean) {
    this.#isDuplicate = isDuplicate
    this.health?.set('duplicate', isDuplicate)
  }

  /** Flag bits of PeerPresent. */
  get flags(): number {
    return presenceFlags(this)
  }

  /** Also takes packets from mesh peers; see {@link Destination}. @internal */
  get local(): Session {
    return this
  }

  /** The client's application name. */
  get appName(): string | undefined {
    return this.info.appName
  }

  /** Whether it has ended. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Whether this relay is the client's home. */
  get isPreferred(): boolean {
    return this.#preferred
  }

  /** Bytes being written to the client, plus those of queued packets. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  /** Packets queued for the client. */
  get queuedPackets(): number {
    return this.#writer.queuedPackets
  }

  /** Starts reading; frames that followed the login come first. @internal */
  start(): void {
    this.#intervals = startIntervals(this.relay, this.pings, this)
    this.#conn.open(this)
    this.#reader.start()
  }

  /** Limits what the client may send from now on; undefined for no limit. Mesh peers are exempt. @internal */
  limitRate(limit: RateLimit | undefined): void {
    this.#reader.limitRate(this.canMesh ? undefined : limit)
  }

  /** @internal */
  onData(chunk: Uint8Array): void {
    if (this.#closed) {
      if (this.#onEnd !== undefined && this.canMesh) this.#reader.readLate(chunk)
      return
    }
    this.tally.bytesReceived += chunk.length
    this.#reader.read(chunk)
  }

  /** @internal */
  onEmpty(): void {
    if (!this.#closed) this.#reader.readEmpty()
  }

  /** @internal */
  onClose(error?: Error): void {
    if (error === undefined || this.#closed) this.#close(true)
    else this.fail(new DerpError('ERR_DERP_CONN_CLOSED', `read from client: ${error.message}`, { cause: error }))
  }

  /** Ends the session because of an error of the client or its connection. @internal */
  fail(error: DerpError): void {
    if (this.#closed) return
    this.relay.noteFailure(error, this.remote, { client: this.key.shortString() })
    this.close()
  }

  /** Ends the session; everything queued is dropped and counted. */
  close(): void {
    this.#close(this.#closed)
  }

  /**
   * Stops reading, except for packets in flight from a mesh peer, and ends the session once everything queued is written.
   *
   * @param done called when the connection has ended, with whether the client ended it or everything was written.
   * @internal
   */
  end(done: (isWhole: boolean) => void): void {
    if (this.#closed) {
      done(true)
      return
    }
    this.#reader.pause()
    this.#onEnd = done
    this.#writer.end(() => {
      this.#finish()
      this.#conn.end()
    })
  }

  #finish(): void {
    if (this.#closed) return
    this.#closed = true
    for (const interval of this.#intervals) interval.stop()
    this.#reader.close()
    this.#writer.close()
    this.#sources?.close()
    this.#sources = undefined
    this.relay.sessionEnded(this)
  }

  #close(isWhole: boolean): void {
    this.#finish()
    this.#conn.destroy()
    const done = this.#onEnd
    this.#onEnd = undefined
    done?.(isWhole)
  }

  /** Sends a frame that is never dropped. The array must not change afterwards. @internal */
  sendControl(frame: Uint8Array): void {
    this.#writer.sendControl(frame)
  }

  /** Sends a Pong unless one is already waiting; returns whether it did. @internal */
  sendPong(frame: Uint8Array): boolean {
    return this.#writer.sendPong(frame)
  }

  /** @internal */
  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    // SendPacket and RecvPacket differ only in type and in whose key they carry: the payload does not move (P-051).
    buffer[start] = FrameType.RecvPacket
    buffer.set(source.key.bytes, start + FRAME_HEADER_LENGTH)
    const leaves = this.#writer.sendPacket(buffer, start, end, kind, source)
    if (leaves) this.packetLeaves(source, buffer, start + FRAME_HEADER_LENGTH)
  }

  /** Takes a RecvPacket frame from a mesh peer. @internal */
  takeForwarded(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    const leaves = this.#writer.sendPacket(buffer, start, end, kind)
    if (leaves) this.packetLeaves(undefined, buffer, start + FRAME_HEADER_LENGTH)
  }

  /** Takes a RecvPacket frame without a source: only the payload follows the header. @internal */
  takeForwardedWithoutSource(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#writer.sendPacket(buffer, start, end, kind, NO_SOURCE)
  }

  /** Tells the client that `peer` is unknown, for disco packets only and rate-limited. @internal */
  tellNotHere(peer: NodePublicKey, kind: PacketKind): void {
    if (kind !== 'disco' || !this.#notHere.allows(this.relay.now())) return
    this.relay.counters.peerGoneNotHereFrames++
    this.sendControl(encodePeerGone(peer, PeerGoneReason.NotHere))
  }

  /** Tells the client that a peer it heard from has left. @internal */
  tellPeerLeft(peer: NodePublicKey): void {
    this.relay.counters.peerGoneDisconnectedFrames++
    this.sendControl(encodePeerGone(peer, PeerGoneReason.Disconnected))
  }

  /** Tells a watcher about connects and disconnects. @internal */
  tellPresence(changes: readonly PresenceChange[]): void {
    this.relay.counters.meshUpdateBatchSize.observe(changes.length)
    for (const change of changes) {
      if (change.present) this.sendControl(encodePeerPresent(change))
      else this.tellPeerLeft(change.peer)
    }
  }

  /** Sets whether this relay is the client's home. @internal */
  setPreferred(preferred: boolean): void {
    if (this.#preferred === preferred) return
    this.#preferred = preferred
    const { counters } = this.relay
    counters.currentHomeConnections += preferred ? 1 : -1
    if (this.relay.now() - this.connectedAtMs > HOME_SETTLE_MS) counters[preferred ? 'homeMovesIn' : 'homeMovesOut']++
  }

  /** Handles no more frames until all workers know what the last one has caused. @internal */
  pauseUntil(known: Propagated): void {
    this.#reader.pauseUntil(known)
  }

  /** @internal */
  noteActivity(): Propagated {
    return this.relay.directory.noteActivity(this)
  }

  /** @internal */
  handleFrame(frame: FrameDecoder): void {
    this.relay.handlers[frame.type]?.(this, frame)
  }

  /** @internal */
  readFailed(error: DerpError, frame: FrameDecoder): void {
    // The original counts a Ping before it checks its length.
    if (error instanceof ProtocolError && frame.type === FrameType.Ping) this.relay.counters.gotPing++
    this.fail(error)
  }

  /** The first packet from a source subscribes this session to the source's departure (P-062). @internal */
  packetLeaves(sender: object | undefined, buffer: Uint8Array, keyAt: number): void {
    this.#sources ??= new SeenSources(this.relay.seenSources)
    const source = this.#sources.note(sender, buffer, keyAt)
    if (source === undefined) return
    this.tally.senders++
    this.relay.directory.subscribePeerGone(this, source)
  }
}

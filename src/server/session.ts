/**
 * A logged-in client: reads its frames, hands each to its handler, and takes what is meant for it.
 *
 * Knows nothing of sockets, HTTP or how the login went.
 * Clauses: P-002, P-003, P-054, P-060, P-061, P-062, P-065, P-090.
 */

import { KeyLookup } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import { DerpError, ProtocolError } from '../lib/derp-error.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import { FRAME_HEADER_LENGTH } from '../protocol/constants.ts'
import { encodeFrame, encodePeerGone, encodePeerPresent, encodePing, encodeServerToClient } from '../protocol/encode.ts'
import type { FrameDecoder } from '../protocol/frame-decoder.ts'
import { FrameType } from '../protocol/frame-type.ts'
import { PeerGoneReason, PeerPresentFlag } from '../protocol/messages.ts'
import type { Conn, ConnHandler } from '../transport/conn.ts'
import { ClientPings } from './client-pings.ts'
import { Health } from './health.ts'
import type { SessionHost } from './hosts.ts'
import { Interval } from './interval.ts'
import { NotHereLimit, SeenSources } from './peer-gone.ts'
import type { Destination, LocalClient, PacketSource, Propagated, Recipient } from './ports.ts'
import { NO_SOURCE, type Writer } from './queues/writer.ts'
import type { RateLimit } from './rate-limit.ts'
import { ReadPacer } from './read-pacer.ts'
import type { PresenceChange } from './registry.ts'

/** Announcements of a home within this time of the login are no moves but part of it. */
const HOME_SETTLE_MS = 5_000

/** What the login has found out. */
export interface SessionIdentity {
  readonly key: NodePublicKey
  readonly info: ClientInfo
  /** The client has shown the relay's mesh key (P-074). */
  readonly canMesh: boolean
  /** The client would rather have reached another node (P-123). */
  readonly notIdeal: boolean
  /** Bearer token that came with the upgrade request; kept for when admission is asked again (P-040). */
  readonly token?: string | undefined
}

export class Session implements ConnHandler, LocalClient, PacketSource, Recipient {
  readonly relay: SessionHost<Session>
  readonly key: NodePublicKey
  readonly info: ClientInfo
  readonly canMesh: boolean
  readonly notIdeal: boolean
  readonly token: string | undefined
  readonly remote: AddressPort | undefined
  /** Where a client is told what is wrong; undefined unless the relay is set to tell. */
  readonly health: Health | undefined
  /** Pings under way; undefined unless the relay is set to ping, and the client answers. */
  readonly pings: ClientPings | undefined
  /** Where the client's packets go. */
  readonly routes: KeyLookup<Destination>
  /** Bytes that the client has sent on this connection, frames of all kinds. */
  bytesReceived = 0
  /** When the login was complete, in milliseconds of the relay's clock. */
  readonly connectedAtMs: number
  readonly #conn: Conn
  readonly #decoder: FrameDecoder
  readonly #writer: Writer
  #preferred = false
  #closed = false
  #isDuplicate = false
  #intervals: readonly Interval[] = []
  readonly #notHere = new NotHereLimit()
  #sources: SeenSources | undefined
  readonly #pacer: ReadPacer
  /** Set while the session is being ended in good order. */
  #onEnd: ((isWhole: boolean) => void) | undefined

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
    this.#decoder = parts.decoder
    this.#writer = parts.writer
    this.connectedAtMs = relay.now()
    const { tellHealth, pingClientsMs } = relay.options
    if (tellHealth) {
      this.health = new Health(problem => this.sendControl(encodeServerToClient({ type: 'health', problem })))
    }
    if (pingClientsMs > 0 && this.info.canAckPings) this.pings = new ClientPings(relay.counters.clientRoundTripMs)
    this.#pacer = new ReadPacer(relay.options.clock, relay.counters, this.health)
    this.limitRate(relay.rateLimit)
    this.#writer.onPacketLeaves = (sender, buffer, keyAt) => this.#noteSource(sender, buffer, keyAt)
  }

  /** Shares its key with another session; kept by the directory. */
  get isDuplicate(): boolean {
    return this.#isDuplicate
  }

  set isDuplicate(isDuplicate: boolean) {
    this.#isDuplicate = isDuplicate
    this.health?.set('duplicate', isDuplicate)
  }

  /** Bits for PeerPresent (P-071). */
  get flags(): number {
    const flags =
      (this.info.isProber ? PeerPresentFlag.Prober : 0) |
      (this.canMesh ? PeerPresentFlag.MeshPeer : 0) |
      (this.notIdeal ? PeerPresentFlag.NotIdeal : 0)
    return flags === 0 ? PeerPresentFlag.Regular : flags
  }

  /** Takes packets of siblings as well; see {@link Destination}. */
  get local(): Session {
    return this
  }

  /** What the client calls its application (P-033). */
  get appName(): string | undefined {
    return this.info.appName
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Whether the client calls this relay its home. */
  get isPreferred(): boolean {
    return this.#preferred
  }

  /** Bytes that were sent to the client on this connection, frames of all kinds. */
  get bytesSent(): number {
    return this.#writer.bytesSent
  }

  /** Bytes on their way to the client, and those of the packets that wait. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  /** Packets that wait for the client. */
  get queuedPackets(): number {
    return this.#writer.queuedPackets
  }

  /** Begins reading; frames that came behind the login are read first (P-037). */
  start(): void {
    this.#intervals = this.#startIntervals()
    this.#conn.open(this)
    this.#readFrames()
    if (!this.#closed && !this.#pacer.isWaiting) this.#conn.resume()
  }

  /** Limits what the client may send from now on; undefined for no limit. The mesh is exempt (P-103). */
  limitRate(limit: RateLimit | undefined): void {
    if (this.#onEnd === undefined) this.#pacer.setLimit(this.canMesh ? undefined : limit)
  }

  onData(chunk: Uint8Array): void {
    if (this.#closed) {
      if (this.#onEnd !== undefined && this.canMesh) this.#readLate(chunk)
      return
    }
    this.bytesReceived += chunk.length
    this.#decoder.push(chunk)
    this.#readFrames()
  }

  onClose(error?: Error): void {
    if (error === undefined || this.#closed) this.#close(true)
    else this.fail(new DerpError('ERR_DERP_CONN_CLOSED', `read from client: ${error.message}`, { cause: error }))
  }

  /** Ends the session by a fault of the client or of its connection. */
  fail(error: DerpError): void {
    if (this.#closed) return
    this.relay.noteFailure(error, this.remote, { client: this.key.shortString() })
    this.close()
  }

  /** Ends the session; all that waits for it is dropped and counted. */
  close(): void {
    this.#close(this.#closed)
  }

  /**
   * Reads no more, but for what is under way from a sibling, and ends the session once all that waits for it has been written.
   *
   * @param done called when the connection is over, with whether the client ended it or all was written.
   */
  end(done: (isWhole: boolean) => void): void {
    if (this.#closed) {
      done(true)
      return
    }
    this.#conn.pause()
    // A wait that never ends: otherwise the rate limit would have reading resumed.
    this.#pacer.stop()
    this.#onEnd = done
    this.#writer.end(() => {
      if (this.#finish()) this.#conn.end()
    })
  }

  /** Reports whether the session was still running. */
  #finish(): boolean {
    if (this.#closed) return false
    this.#closed = true
    for (const interval of this.#intervals) interval.stop()
    this.#pacer.stop()
    this.#writer.close()
    this.relay.sessionEnded(this)
    return true
  }

  #close(isWhole: boolean): void {
    this.#finish()
    this.#conn.destroy()
    const done = this.#onEnd
    this.#onEnd = undefined
    done?.(isWhole)
  }

  /** Sends a frame that is never dropped. The array must not change afterwards. */
  sendControl(frame: Uint8Array): void {
    this.#writer.sendControl(frame)
  }

  /** Sends a Pong unless one waits already; reports whether it did (P-091). */
  sendPong(frame: Uint8Array): boolean {
    return this.#writer.sendPong(frame)
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    // SendPacket and RecvPacket differ in their type and in whose key they carry: no byte of payload moves (P-051).
    buffer[start] = FrameType.RecvPacket
    buffer.set(source.key.bytes, start + FRAME_HEADER_LENGTH)
    const leaves = this.#writer.sendPacket(buffer, start, end, kind, source)
    if (leaves) this.#noteSource(source, buffer, start + FRAME_HEADER_LENGTH)
  }

  /** Takes a RecvPacket frame that a sibling relay has passed on. */
  takeForwarded(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    const leaves = this.#writer.sendPacket(buffer, start, end, kind)
    if (leaves) this.#noteSource(undefined, buffer, start + FRAME_HEADER_LENGTH)
  }

  /** Takes the same without a source: only the payload follows the header (P-051). */
  takeForwardedWithoutSource(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void {
    this.#writer.sendPacket(buffer, start, end, kind, NO_SOURCE)
  }

  /** Tells the client that `peer` is unknown, in answer to disco only and not too often (P-061). */
  tellNotHere(peer: NodePublicKey, kind: PacketKind): void {
    if (kind !== 'disco' || !this.#notHere.allows(this.relay.now())) return
    this.relay.counters.peerGoneNotHereFrames++
    this.sendControl(encodePeerGone(peer, PeerGoneReason.NotHere))
  }

  /** Tells the client that a peer it heard from has left (P-062). */
  tellPeerLeft(peer: NodePublicKey): void {
    this.relay.counters.peerGoneDisconnectedFrames++
    this.sendControl(encodePeerGone(peer, PeerGoneReason.Disconnected))
  }

  /** Tells a watcher who comes and goes (P-070). */
  tellPresence(changes: readonly PresenceChange[]): void {
    this.relay.counters.meshUpdateBatchSize.observe(changes.length)
    for (const change of changes) {
      if (change.present) this.sendControl(encodePeerPresent(change))
      else this.tellPeerLeft(change.peer)
    }
  }

  /** Notes whether this relay is the client's home (P-054). */
  setPreferred(preferred: boolean): void {
    if (this.#preferred === preferred) return
    this.#preferred = preferred
    const { counters } = this.relay
    counters.currentHomeConnections += preferred ? 1 : -1
    if (this.relay.now() - this.connectedAtMs <= HOME_SETTLE_MS) return
    if (preferred) counters.homeMovesIn++
    else counters.homeMovesOut++
  }

  /** Handles no more frames until all parts of the relay know what the last one has caused. */
  pauseUntil(known: Propagated): void {
    if (known !== undefined) this.#waitFor(known, this.#readOn)
  }

  #readFrames(): void {
    const decoder = this.#decoder
    try {
      while (!this.#closed && !this.#pacer.isWaiting && decoder.next()) {
        if (this.#pacer.mustWait(decoder.length, this.#goOn)) this.#conn.pause()
        else this.#handleFrame()
      }
      // A header is activity already; what is skipped was handled at its header (P-065).
      if (this.#isDuplicate && !this.#closed && decoder.isGathering) void this.relay.directory.noteActivity(this)
    } catch (error) {
      this.#failWith(error)
    }
  }

  /** What a sibling had sent before it knew of the end is counted here as it is there; nobody is left to have it (P-174). */
  #readLate(chunk: Uint8Array): void {
    const decoder = this.#decoder
    try {
      decoder.push(chunk)
      while (decoder.next()) {
        const isForward = decoder.type === FrameType.ForwardPacket && !decoder.skipped
        if (isForward) this.relay.handlers[FrameType.ForwardPacket]?.(this, decoder)
      }
    } catch (error) {
      this.#failWith(error)
    }
  }

  #handleFrame(): void {
    const known = this.#isDuplicate ? this.relay.directory.noteActivity(this) : undefined
    if (known === undefined) this.#handleNoted()
    else this.#waitFor(known, this.#goOnNoted)
  }

  #handleNoted(): void {
    const decoder = this.#decoder
    if (!decoder.skipped) this.relay.handlers[decoder.type]?.(this, decoder)
  }

  #waitFor(known: Promise<void>, goOn: () => void): void {
    this.#conn.pause()
    this.#pacer.waitFor(known, goOn)
  }

  /** Handles the frame that had to wait, then those behind it. */
  readonly #goOn = (): void => this.#tryThenReadOn(() => this.#handleFrame())

  /** The same for one that has waited until its activity was known. */
  readonly #goOnNoted = (): void => this.#tryThenReadOn(() => this.#handleNoted())

  readonly #readOn = (): void => this.#tryThenReadOn(() => {})

  #tryThenReadOn(handle: () => void): void {
    if (this.#closed) return
    try {
      handle()
    } catch (error) {
      this.#failWith(error)
    }
    this.#readFrames()
    if (!this.#closed && !this.#pacer.isWaiting) this.#conn.resume()
  }

  #failWith(error: unknown): void {
    if (!(error instanceof DerpError)) throw error
    // The original counts a Ping before it looks at its length.
    if (error instanceof ProtocolError && this.#decoder.type === FrameType.Ping) this.relay.counters.gotPing++
    this.fail(error)
  }

  /** The first packet from a source makes this session hear of the source's departure (P-062). */
  #noteSource(sender: object | undefined, buffer: Uint8Array, keyAt: number): void {
    this.#sources ??= new SeenSources()
    const source = this.#sources.note(sender, buffer, keyAt)
    if (source !== undefined) this.relay.directory.subscribePeerGone(this, source)
  }

  #startIntervals(): readonly Interval[] {
    const { timers } = this.relay
    const { clock, keepAliveMs, keepAliveJitterMs, pingClientsMs, random } = this.relay.options
    const { pings } = this
    const keepAlive = new Interval(timers, keepAliveMs + random() * keepAliveJitterMs, () =>
      this.sendControl(encodeFrame(FrameType.KeepAlive)),
    )
    if (pings === undefined) return [keepAlive]
    const ping = () => this.sendControl(encodePing(FrameType.Ping, pings.next(clock.now())))
    return [keepAlive, new Interval(timers, pingClientsMs, ping)]
  }
}

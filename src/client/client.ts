/**
 * The client that stays: connects when it is first used, and again when a call follows a failed one.
 *
 * Knows nothing of Node: connections come from the transport it is given (see node-client.ts).
 * Clauses: P-200 URL, P-203 send, P-204 receive, P-207 and P-208 pings, P-209 close, P-210 standing wishes.
 */

import { formatRegion } from '../derpmap/regions.ts'
import type { DERPNode, DERPRegion } from '../derpmap/types.ts'
import type { KeyAgreement } from '../keys/box.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { abortable } from '../lib/abort.ts'
import type { AddressPort } from '../lib/address-port.ts'
import { copyBytes } from '../lib/bytes.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'
import type { ConnectedState } from './connected-state.ts'
import { formatRelayUrl, parseRelayUrl } from './dial/relay-url.ts'
import { HealthReporter, type HealthTracker } from './health-reporter.ts'
import { closedError, type Link, LinkKeeper } from './link-keeper.ts'
import { type OpenedConnection, openConnection } from './open-connection.ts'
import {
  type ClientOptions,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  resolveNumber,
} from './options.ts'
import { assertPacket, assertPingPayload } from './packet.ts'
import { pingOver, receiveOver } from './ping.ts'
import type { ClientTransport, DialTarget, NetworkMonitor, TlsConnectionState } from './ports.ts'
import { WatchLoop, type WatchLoopOptions } from './watch-loop.ts'

/** A message and the connection it came by. */
export interface ReceivedDetail {
  readonly message: ReceivedMessage
  /** 1 for the client's first connection, one more for each later one (P-206). */
  readonly connectionGeneration: number
}

/** The connection that a client has now, for classes above it that must never connect by accident. */
export let linkOf: (client: Client) => Link | undefined
/** Ends a connection of a client; does nothing when that has been done. */
export let dropLink: (client: Client, link: Link, error: DerpError) => void

/** Gives the region to connect to, as it is now; undefined when there is none at present. */
export type RegionSource = () => DERPRegion | undefined

/**
 * A client of one relay, or of whichever relay of a region can be connected to.
 *
 * There is no timer that reconnects: a `send` or `recv` that fails reports the error and drops the connection, and
 * the next call connects anew. An `AbortSignal` ends the waiting of the call it was given to, with the code
 * `ERR_DERP_ABORTED`; connection and messages are not touched by it.
 */
export class Client implements AsyncIterable<ReceivedMessage, void> {
  /** Secret of the mesh, for siblings and trusted monitors; takes effect with the next connection. */
  meshKey: MeshKey | undefined
  /** Whether to call itself a prober; takes effect with the next connection. */
  isProber: boolean
  /** Whether to ask for news of all clients; takes effect with the next connection, needs the mesh key (P-210). */
  watchConnectionChanges: boolean
  /** Is told of connections and of what the relay says of them. */
  healthTracker: HealthTracker | undefined
  /** Gives a signal for each attempt to connect, which an abort of it ends. */
  baseContext: (() => AbortSignal) | undefined
  readonly #privateKey: NodePrivateKey
  readonly #target: URL | RegionSource
  readonly #transport: ClientTransport
  readonly #agreement: KeyAgreement
  readonly #options: ResolvedConnectionOptions
  readonly #connectTimeoutMs: number
  readonly #links: LinkKeeper
  readonly #health: HealthReporter
  readonly #netMon: NetworkMonitor | undefined
  #canAckPings: boolean
  #preferred = false
  #serverKey: NodePublicKey | undefined
  /** As last told; regions may change. */
  #regionName = 'region unknown'

  static {
    linkOf = client => client.#links.link
    dropLink = (client, link, error) => client.#links.drop(link, error)
  }

  /**
   * Opens nothing yet.
   *
   * @param server the relay's URL, or a function that is asked for a region at each attempt to connect (P-220).
   * @throws DerpError for an unusable URL, key or option.
   */
  constructor(privateKey: NodePrivateKey, server: string | URL | RegionSource, options: ClientOptions) {
    privateKey.publicKey()
    this.#privateKey = privateKey
    this.#target = typeof server === 'function' ? server : parseRelayUrl(server)
    this.#transport = options.transport
    this.#agreement = options.agreement
    this.#options = resolveConnectionOptions(options)
    this.#connectTimeoutMs = resolveNumber('connectTimeoutMs', options.connectTimeoutMs)
    this.#canAckPings = this.#options.canAckPings
    this.meshKey = this.#options.meshKey
    this.isProber = this.#options.isProber
    this.watchConnectionChanges = options.watchConnectionChanges ?? false
    this.healthTracker = options.healthTracker
    this.baseContext = options.baseContext
    this.#netMon = options.netMon
    this.#health = new HealthReporter(() => this.healthTracker, this.#options.log)
    const source = { open: (stop: AbortSignal) => this.#open(stop), onLink: (link: Link) => this.#onLink(link) }
    this.#links = new LinkKeeper(source, this.#options.log)
  }

  /**
   * Connects unless there is a good connection.
   *
   * Resolves when the relay's key is known and ours was sent. The relay may need a moment more to know this client:
   * whoever must be reachable waits for the `serverInfo` message (P-201).
   */
  async connect(signal?: AbortSignal): Promise<void> {
    const { link } = this.#links
    if (link?.derp.error !== undefined) this.#links.drop(link, link.derp.error)
    await this.#links.connected('connect', signal)
  }

  /**
   * Ends everything for good: calls under way and all later ones, a second `close` included, are rejected with the
   * code `ERR_DERP_CLIENT_CLOSED` (P-209). What `send` has been awaited for is not taken back.
   */
  async close(): Promise<void> {
    this.#links.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#links.isClosed) this.#links.close()
  }

  /**
   * Sends a packet of at most 64 KiB. `data` may be reused at once.
   *
   * Resolves when the connection has taken the packet, with no news of its delivery: to wait for it before the next
   * one is the back-pressure (P-203). Limits that the relay has told are kept by waiting (P-211).
   */
  async send(destination: NodePublicKey, data: Uint8Array, signal?: AbortSignal): Promise<void> {
    assertPacket('send packet', data)
    const now = this.#links.link
    // While we connect, the caller may write over its bytes.
    const packet = now === undefined ? copyBytes(data) : data
    const link = now ?? (await this.#links.connected('send packet', signal))
    await this.#written(link, link.derp.send(destination, packet, signal), 'send packet', signal)
  }

  /** Sends a packet in the name of a client of a sibling relay; needs the mesh key (P-072). */
  async forwardPacket(
    source: NodePublicKey,
    destination: NodePublicKey,
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    assertPacket('forward packet', data)
    const now = this.#links.link
    const packet = now === undefined ? copyBytes(data) : data
    const link = now ?? (await this.#links.connected('forward packet', signal))
    await this.#written(link, link.derp.forwardPacket(source, destination, packet), 'forward packet', signal)
  }

  /** Has the relay close all connections of `peer`; needs the mesh key (P-073). */
  async closePeer(peer: NodePublicKey, signal?: AbortSignal): Promise<void> {
    const link = this.#links.link ?? (await this.#links.connected('close peer', signal))
    await this.#written(link, link.derp.closePeer(peer), 'close peer', signal)
  }

  /** The next message (P-204). Its bytes belong to the caller. */
  async recv(signal?: AbortSignal): Promise<ReceivedMessage> {
    return (await this.recvDetail(signal)).message
  }

  /** The next message, and the number of the connection that it came by. */
  async recvDetail(signal?: AbortSignal): Promise<ReceivedDetail> {
    const link = this.#links.link ?? (await this.#links.connected('receive', signal))
    const message = await receiveOver(link, signal).catch(error => this.#links.failed(link, error, signal))
    return { message, connectionGeneration: link.generation }
  }

  /** All messages, for ever: ends by throwing the error that `recv` would. Leaving the loop does not close the client. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage, void, void> {
    for (;;) yield await this.recv()
  }

  /**
   * Sends a Ping and waits for its Pong, 5 s at most (P-207).
   *
   * Does not connect, and does not read: somebody must be receiving meanwhile, who will not see that Pong.
   */
  async ping(signal?: AbortSignal): Promise<void> {
    await pingOver(this.#links.require('ping relay'), this.#options.clock, signal)
  }

  /** Sends a Ping of eight bytes; the Pong is a message. Does not connect (P-208). */
  async sendPing(payload: Uint8Array): Promise<void> {
    assertPingPayload('send ping', payload)
    await this.#links.require('send ping').derp.sendPing(payload)
  }

  /** Answers a Ping with its eight bytes. Does not connect (P-208). */
  async sendPong(payload: Uint8Array): Promise<void> {
    assertPingPayload('send pong', payload)
    await this.#links.require('send pong').derp.sendPong(payload)
  }

  /**
   * Notes whether the relay is this client's home, and tells it, now and on every later connection (P-210).
   *
   * Does not connect, and is not rejected when the connection fails: the next one will carry the note.
   */
  async notePreferred(preferred: boolean): Promise<void> {
    if (this.#links.isClosed) throw closedError('note preferred')
    if (this.#preferred === preferred) return
    this.#preferred = preferred
    const { link } = this.#links
    await link?.derp.notePreferred(preferred).catch(error => this.#links.drop(link, error))
  }

  /**
   * Follows who is connected to the relay, through broken connections, until `signal` is aborted or the client closed;
   * both report the peers that were there as gone. Ends at once when the relay has the key to be ignored (P-215 to
   * P-217). It receives all messages itself: nobody else should.
   *
   * @throws TypeError when this client is in use already without {@link watchConnectionChanges}.
   */
  async runWatchConnectionLoop(options: WatchLoopOptions): Promise<void> {
    if (!this.watchConnectionChanges && this.#links.isStarted) {
      throw new TypeError('watch connections of a client in use: watchConnectionChanges was not set before')
    }
    this.watchConnectionChanges = true
    const { clock, log } = this.#options
    await new WatchLoop(this, { clock, log, closed: this.#links.closed }, options).run()
  }

  /** Whether to tell the relay, on later connections, that its pings will be answered. */
  setCanAckPings(canAckPings: boolean): void {
    this.#canAckPings = canAckPings
  }

  /** Our own key. */
  selfPublicKey(): NodePublicKey {
    return this.#privateKey.publicKey()
  }

  /** The relay's key; undefined until a first connection has been made. */
  serverPublicKey(): NodePublicKey | undefined {
    return this.#serverKey
  }

  /** Whether there is a connection, or one being made. */
  connectedState(): ConnectedState {
    const { link, isClosed, isConnecting } = this.#links
    const connected = link !== undefined && link.derp.error === undefined
    return { connected, connecting: isConnecting, closed: isClosed, localAddr: connected ? link.derp.local : undefined }
  }

  /** Our end of the connection, if the transport knows it. @throws DerpError when there is no connection. */
  localAddr(): AddressPort | undefined {
    return this.#links.require('read local address').derp.local
  }

  /** What is known of TLS; undefined without a connection and without TLS. */
  tlsConnectionState(): TlsConnectionState | undefined {
    return this.#links.link?.tls
  }

  /** The node that the connection is to; undefined without a connection, and for a client of a URL. */
  connectedNode(): DERPNode | undefined {
    return this.#links.link?.node
  }

  toString(): string {
    const server = this.#target instanceof URL ? `url=${formatRelayUrl(this.#target)}` : this.#regionName
    return `<derphttp.Client ${this.#serverKey?.shortString() ?? '[]'} ${server}>`
  }

  async #open(stop: AbortSignal): Promise<OpenedConnection> {
    const login = {
      ...this.#options,
      privateKey: this.#privateKey,
      agreement: this.#agreement,
      meshKey: this.meshKey,
      isProber: this.isProber,
      canAckPings: this.#canAckPings,
      observer: {
        onHealth: (problem: string) => this.#health.problem(problem),
        onEnd: () => this.#health.ended(),
      },
    }
    const plan = {
      target: this.#dialTarget(),
      transport: this.#transport,
      clock: this.#options.clock,
      timeoutMs: this.#connectTimeoutMs,
      base: this.#base(),
      netMon: this.#netMon,
      login,
    }
    return openConnection(plan, stop)
  }

  #dialTarget(): DialTarget {
    if (this.#target instanceof URL) return { url: this.#target }
    const region = this.#target()
    if (region === undefined) {
      throw new DerpError('ERR_DERP_REGION_UNAVAILABLE', 'connect: region not available', { clause: 'P-220' })
    }
    this.#regionName = formatRegion(region)
    return { region }
  }

  #base(): AbortSignal | undefined {
    if (this.baseContext === undefined) return undefined
    const base: unknown = this.baseContext()
    if (base instanceof AbortSignal) return base
    throw new TypeError('ask for base context: not an AbortSignal')
  }

  #onLink({ derp }: Link): void {
    this.#serverKey = derp.serverKey
    if (derp.error === undefined) this.#health.connected()
    // Should one of these fail, the connection has failed, and the next call tells.
    if (this.#preferred) derp.notePreferred(true).catch(() => {})
    if (this.watchConnectionChanges) derp.watchConnectionChanges().catch(() => {})
  }

  async #written(link: Link, written: Promise<void>, action: string, signal: AbortSignal | undefined): Promise<void> {
    await abortable(written, signal, action).catch(error => this.#links.failed(link, error, signal))
  }
}

/**
 * The persistent client: connects on first use, and reconnects when a call follows a failed one.
 *
 * Knows nothing of Node: connections come from the given transport (see node-client.ts).
 * Clauses: P-201 connect, P-203 send, P-204 receive, P-207 and P-208 pings, P-209 close, P-210 standing wishes.
 */

import type { DERPNode } from '../derpmap/types.ts'
import type { PrivateKey } from '../keys/private-key.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import { abortable } from '../lib/abort.ts'
import type { AddressPort } from '../lib/address-port.ts'
import { copyBytes } from '../lib/bytes.ts'
import type { DerpError } from '../lib/derp-error.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'
import { ClientSettings } from './client-settings.ts'
import type { ConnectedState } from './connected-state.ts'
import { Connector, type RegionSource } from './connector.ts'
import { HealthReporter } from './health-reporter.ts'
import { closedError, type Link, LinkKeeper } from './link-keeper.ts'
import type { ClientOptions } from './options.ts'
import { assertPacket, assertPingPayload, assertPublicKey } from './packet.ts'
import { pingOver } from './ping.ts'
import type { TlsConnectionState } from './ports.ts'
import { type ReceivedDetail, receiveDetail } from './received-detail.ts'
import type { WatchLoopPorts } from './watch-loop.ts'

/** The current connection of a client, for internal use without connecting. */
export let linkOf: (client: Client) => Link | undefined
/** Closes a connection of a client; no effect if already done. */
export let dropLink: (client: Client, link: Link, error: DerpError) => void

/** What a watch loop needs of a client besides its methods, and whether the client is in use. */
export let watchPortsOf: (client: Client) => WatchLoopPorts & { readonly isStarted: boolean }

/**
 * A client of one relay, or of the first reachable relay of a region.
 *
 * There are no background reconnects: a failed `send` or `recv` reports the error and drops the connection, and the next
 * call reconnects. An `AbortSignal` cancels the wait of its call with the code `ERR_DERP_ABORTED`; connection and
 * messages are unaffected.
 *
 * @example
 * ```ts
 * const client = new PortableClient(privateKey, url, { transport: createNodeTransport(), agreement: portableAgreement })
 * await client.send(peer, bytes)
 * const message = await client.recv()
 * ```
 */
export class Client extends ClientSettings implements AsyncIterable<ReceivedMessage, void> {
  readonly #connector: Connector
  readonly #links: LinkKeeper
  readonly #health: HealthReporter
  #preferred = false
  #serverKey: NodePublicKey | undefined

  static {
    linkOf = client => client.#links.link
    dropLink = (client, link, error) => client.#links.drop(link, error)
    watchPortsOf = client => {
      const { clock, log } = client.#connector.options
      return { clock, log, closed: client.#links.closed, isStarted: client.#links.isStarted }
    }
  }

  /**
   * Opens nothing yet.
   *
   * @param server the relay's URL, or a function called for the region at each connection attempt.
   * @throws DerpError for an unusable URL, key or option.
   */
  constructor(privateKey: PrivateKey, server: string | URL | RegionSource, options: ClientOptions) {
    super(options)
    this.#connector = new Connector(privateKey, server, options)
    const { log } = this.#connector.options
    this.#health = new HealthReporter(() => this.healthTracker, log)
    this.#links = new LinkKeeper(
      {
        open: stop => this.#connector.open(this, this.#health, stop),
        onLink: link => this.#onLink(link),
      },
      log,
    )
  }

  /**
   * Connects unless there is a working connection.
   *
   * Resolves once the login has been sent. When the message `serverInfo` arrives, the relay has admitted this client and
   * peers can reach it.
   */
  async connect(signal?: AbortSignal): Promise<void> {
    const { link } = this.#links
    if (link?.derp.error !== undefined) this.#links.drop(link, link.derp.error)
    await this.#links.connected('connect', signal)
  }

  /**
   * Closes the client for good: pending and later calls, a second `close` included, reject with the code
   * `ERR_DERP_CLIENT_CLOSED`. Packets whose `send` has resolved are still delivered to the relay.
   */
  async close(): Promise<void> {
    this.#links.close()
  }

  /** Closes the client unless that was done. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#links.isClosed) this.#links.close()
  }

  /**
   * Sends a packet of at most 64 KiB. `data` may be reused immediately.
   *
   * Resolves when the connection has taken the packet, which does not imply delivery. Await it before sending the next
   * one: that is the back-pressure. Rate limits announced by the relay are respected by waiting.
   */
  async send(destination: NodePublicKey, data: Uint8Array, signal?: AbortSignal): Promise<void> {
    const action = 'send packet'
    assertPublicKey(action, 'destination', destination)
    assertPacket(action, data)
    const packet = this.#ownedUntilSent(data)
    await this.#links.use(action, signal, ({ derp }) =>
      abortable(derp.send(destination, packet, signal), signal, action),
    )
  }

  /** Sends a packet on behalf of a client of another relay of the mesh; needs the mesh key. */
  async forwardPacket(
    source: NodePublicKey,
    destination: NodePublicKey,
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const action = 'forward packet'
    assertPublicKey(action, 'source', source)
    assertPublicKey(action, 'destination', destination)
    assertPacket(action, data)
    const packet = this.#ownedUntilSent(data)
    await this.#links.use(action, signal, ({ derp }) =>
      abortable(derp.forwardPacket(source, destination, packet), signal, action),
    )
  }

  /** Makes the relay close all connections of `peer`; needs the mesh key. */
  async closePeer(peer: NodePublicKey, signal?: AbortSignal): Promise<void> {
    const action = 'close peer'
    assertPublicKey(action, 'peer', peer)
    await this.#links.use(action, signal, ({ derp }) => abortable(derp.closePeer(peer), signal, action))
  }

  /**
   * Receives the next message, connecting if necessary. Its bytes belong to the caller.
   *
   * Rejects with the error of the connection when that ends; the next call connects again.
   */
  async recv(signal?: AbortSignal): Promise<ReceivedMessage> {
    return (await this.recvDetail(signal)).message
  }

  /** Receives the next message together with the number of its connection. */
  async recvDetail(signal?: AbortSignal): Promise<ReceivedDetail> {
    return this.#links.use('receive', signal, link => receiveDetail(link, signal))
  }

  /** Receives until `recv` would reject, and throws that error. Leaving the loop does not close the client. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage, void, void> {
    for (;;) yield await this.recv()
  }

  /**
   * Sends a Ping and waits at most 5 s for its Pong.
   *
   * Neither connects nor reads: someone must be calling `recv` meanwhile, which does not return this Pong.
   */
  async ping(signal?: AbortSignal): Promise<void> {
    await pingOver(this.#links.require('ping relay'), this.#connector.options.clock, signal)
  }

  /** Sends a Ping of eight bytes; the Pong is a message. Does not connect. Rejects with a RangeError for other lengths. */
  async sendPing(payload: Uint8Array): Promise<void> {
    assertPingPayload('send ping', payload)
    await this.#links.require('send ping').derp.sendPing(payload)
  }

  /** Replies to a Ping with its eight bytes. Does not connect. Rejects with a RangeError for other lengths. */
  async sendPong(payload: Uint8Array): Promise<void> {
    assertPingPayload('send pong', payload)
    await this.#links.require('send pong').derp.sendPong(payload)
  }

  /**
   * Sets whether the relay is this client's home, and tells it, now and on every later connection.
   *
   * Neither connects nor rejects if the connection fails: the next one sends it again.
   */
  async notePreferred(preferred: boolean): Promise<void> {
    if (this.#links.isClosed) throw closedError('note preferred')
    if (this.#preferred === preferred) return
    this.#preferred = preferred
    const { link } = this.#links
    await link?.derp.notePreferred(preferred).catch(error => this.#links.drop(link, error))
  }

  /** Whether to tell the relay, on later connections, that this client replies to its pings. */
  setCanAckPings(canAckPings: boolean): void {
    this.#connector.canAckPings = canAckPings
  }

  /** This client's key. */
  selfPublicKey(): NodePublicKey {
    return this.#connector.privateKey.publicKey()
  }

  /** The relay's key; undefined before the first connection. */
  serverPublicKey(): NodePublicKey | undefined {
    return this.#serverKey
  }

  /** Whether there is a connection, or an attempt. */
  connectedState(): ConnectedState {
    return this.#links.state()
  }

  /** The local end of the connection, if the transport knows it. @throws DerpError without a connection. */
  localAddr(): AddressPort | undefined {
    return this.#links.require('read local address').derp.local
  }

  /** TLS details; undefined without a connection or TLS. */
  tlsConnectionState(): TlsConnectionState | undefined {
    return this.#links.link?.tls
  }

  /** The connected node; undefined without a connection, and for a client of a URL. */
  connectedNode(): DERPNode | undefined {
    return this.#links.link?.node
  }

  /** For logs: the key of the relay in short, and its URL without secrets, or the region. */
  override toString(): string {
    return `<derphttp.Client ${this.#serverKey?.shortString() ?? '[]'} ${this.#connector.targetName}>`
  }

  #onLink({ derp }: Link): void {
    this.#serverKey = derp.serverKey
    if (derp.error === undefined) this.#health.connected()
    // If one of these fails, the connection has failed, and the next call reports it.
    if (this.#preferred) derp.notePreferred(true).catch(() => {})
    if (this.watchConnectionChanges) derp.watchConnectionChanges().catch(() => {})
  }

  /** A connection copies bytes at once; during a connection attempt the caller might overwrite them. */
  #ownedUntilSent(data: Uint8Array): Uint8Array {
    return this.#links.link === undefined ? copyBytes(data) : data
  }
}

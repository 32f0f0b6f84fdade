/**
 * The client that stays: connects when it is first used, and again when a call follows a failed one.
 *
 * Knows nothing of Node: connections come from the transport it is given (see node-client.ts).
 * Clauses: P-200 URL, P-203 send, P-204 receive, P-207 and P-208 pings, P-209 close, P-210 standing wishes.
 */

import type { KeyAgreement } from '../keys/box.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'
import { abortable } from './abort.ts'
import { closedError, type Link, LinkKeeper } from './link-keeper.ts'
import { type OpenedConnection, openConnection } from './open-connection.ts'
import {
  type ClientOptions,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  resolveNumber,
} from './options.ts'
import { assertPacket, assertPingPayload } from './packet.ts'
import { pingOver } from './ping.ts'
import type { ClientTransport, TlsConnectionState } from './ports.ts'
import { formatRelayUrl, parseRelayUrl } from './relay-url.ts'

/** A message and the connection it came by. */
export interface ReceivedDetail {
  readonly message: ReceivedMessage
  /** 1 for the client's first connection, one more for each later one (P-206). */
  readonly connectionGeneration: number
}

/**
 * A client of one relay.
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
  readonly #privateKey: NodePrivateKey
  readonly #url: URL
  readonly #transport: ClientTransport
  readonly #agreement: KeyAgreement
  readonly #options: ResolvedConnectionOptions
  readonly #connectTimeoutMs: number
  readonly #links: LinkKeeper
  #canAckPings: boolean
  #preferred = false
  #serverKey: NodePublicKey | undefined

  /** Opens nothing yet. @throws DerpError for an unusable URL, key or option. */
  constructor(privateKey: NodePrivateKey, serverUrl: string | URL, options: ClientOptions) {
    privateKey.publicKey()
    this.#privateKey = privateKey
    this.#url = parseRelayUrl(serverUrl)
    this.#transport = options.transport
    this.#agreement = options.agreement
    this.#options = resolveConnectionOptions(options)
    this.#connectTimeoutMs = resolveNumber('connectTimeoutMs', options.connectTimeoutMs)
    this.#canAckPings = this.#options.canAckPings
    this.meshKey = this.#options.meshKey
    this.isProber = this.#options.isProber
    this.watchConnectionChanges = options.watchConnectionChanges ?? false
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
   * one is the back-pressure (P-203).
   */
  async send(destination: NodePublicKey, data: Uint8Array, signal?: AbortSignal): Promise<void> {
    assertPacket('send packet', data)
    const link = this.#links.link ?? (await this.#links.connected('send packet', signal))
    await this.#written(link, link.derp.send(destination, data), 'send packet', signal)
  }

  /** Sends a packet in the name of a client of a sibling relay; needs the mesh key (P-072). */
  async forwardPacket(
    source: NodePublicKey,
    destination: NodePublicKey,
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    assertPacket('forward packet', data)
    const link = this.#links.link ?? (await this.#links.connected('forward packet', signal))
    await this.#written(link, link.derp.forwardPacket(source, destination, data), 'forward packet', signal)
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
    for (;;) {
      const message = await link.derp.recv(signal).catch(error => this.#links.failed(link, error, signal))
      if (message.type === 'pong' && link.pings.take(message.payload)) continue
      return { message, connectionGeneration: link.generation }
    }
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

  /** Our end of the connection, if the transport knows it. @throws DerpError when there is no connection. */
  localAddr(): AddressPort | undefined {
    return this.#links.require('read local address').derp.local
  }

  /** What is known of TLS; undefined without a connection and without TLS. */
  tlsConnectionState(): TlsConnectionState | undefined {
    return this.#links.link?.tls
  }

  toString(): string {
    return `<derphttp.Client ${this.#serverKey?.shortString() ?? '[]'} url=${formatRelayUrl(this.#url)}>`
  }

  #open(stop: AbortSignal): Promise<OpenedConnection> {
    const login = {
      ...this.#options,
      privateKey: this.#privateKey,
      agreement: this.#agreement,
      meshKey: this.meshKey,
      isProber: this.isProber,
      canAckPings: this.#canAckPings,
    }
    const plan = {
      url: this.#url,
      transport: this.#transport,
      clock: this.#options.clock,
      timeoutMs: this.#connectTimeoutMs,
      login,
    }
    return openConnection(plan, stop)
  }

  #onLink({ derp }: Link): void {
    this.#serverKey = derp.serverKey
    // Should one of these fail, the connection has failed, and the next call tells.
    if (this.#preferred) derp.notePreferred(true).catch(() => {})
    if (this.watchConnectionChanges) derp.watchConnectionChanges().catch(() => {})
  }

  async #written(link: Link, written: Promise<void>, action: string, signal: AbortSignal | undefined): Promise<void> {
    await abortable(written, signal, action).catch(error => this.#links.failed(link, error, signal))
  }
}

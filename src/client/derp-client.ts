/**
 * One logged-in connection to a relay, from login to its end.
 *
 * Knows nothing of URLs, sockets or reconnecting: see client.ts for that. The first error ends the connection, and every
 * later call rejects with it.
 * Clauses: P-050 to P-054, P-070 to P-073, P-091 to P-095, P-211, P-212, P-201.
 */

import type { NodePublicKey } from '../keys/public-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { encodeClientToServer } from '../protocol/encode.ts'
import type { ClientToServer, ReceivedMessage } from '../protocol/messages.ts'
import type { Conn, ConnHandler } from '../transport/conn.ts'
import { FrameReceiver } from './frame-receiver.ts'
import type { FrameSender } from './frame-sender.ts'
import { connectionClosed, type LoggedIn, LoginAttempt } from './login-attempt.ts'
import { type ConnectionObserver, type DerpClientOptions, resolveConnectionOptions } from './options.ts'
import { PacedSender } from './paced-sender.ts'
import { assertPacket, assertPingPayload } from './packet.ts'

/** Milliseconds within which a forwarded packet must have been written (P-212). */
const FORWARD_TIMEOUT_MS = 5_000

/**
 * One logged-in connection to a relay, over a connection that the caller provides.
 *
 * It does not reconnect: the first error ends it, and every later call rejects with that error.
 *
 * @example
 * ```ts
 * const [conn, serverConn] = memoryConnPair()
 * createRelay({ privateKey: NodePrivateKey.generate() }).accept(serverConn)
 * const client = await DerpClient.login(conn, { privateKey, agreement: portableAgreement })
 * await client.send(peer, bytes)
 * ```
 */
export class DerpClient implements ConnHandler {
  /** The relay's key. */
  readonly serverKey: NodePublicKey
  readonly #conn: Conn
  readonly #clock: Clock
  readonly #sender: FrameSender
  readonly #packets: PacedSender
  readonly #receiver: FrameReceiver
  readonly #observer: ConnectionObserver
  readonly #autoPong: boolean
  #error: DerpError | undefined
  /** ServerInfo has arrived. */
  #isLetIn = false
  #pongUnderWay = false

  private constructor(conn: Conn, options: DerpClientOptions, loggedIn: LoggedIn) {
    const resolved = resolveConnectionOptions(options)
    this.serverKey = loggedIn.serverKey
    this.#conn = conn
    this.#clock = resolved.clock
    this.#sender = loggedIn.sender
    this.#packets = new PacedSender(loggedIn.sender, resolved.clock)
    this.#receiver = new FrameReceiver({
      ...resolved,
      conn,
      decoder: loggedIn.decoder,
      sharedKey: loggedIn.sharedKey,
      onMessage: message => this.#onMessage(message),
      onFailure: error => this.#abandon(error),
    })
    this.#observer = options.observer ?? {}
    this.#autoPong = resolved.autoPong
    this.#sender.onFailure = error => this.#onBroken(error)
    conn.open(this)
    conn.resume()
    this.#receiver.read()
  }

  /**
   * Logs in on a new connection, which is destroyed on failure.
   *
   * Resolves once the login has been sent. The relay has admitted this client when the message `serverInfo` arrives.
   */
  static login(conn: Conn, options: DerpClientOptions, signal?: AbortSignal): Promise<DerpClient> {
    return new LoginAttempt(conn, options, loggedIn => new DerpClient(conn, options, loggedIn)).run(signal)
  }

  /** Why the connection ended; undefined while it is open. */
  get error(): DerpError | undefined {
    return this.#error
  }

  /** The local end, if the transport knows it. */
  get local(): AddressPort | undefined {
    return this.#conn.local
  }

  /**
   * The next message. Its bytes belong to the caller.
   *
   * After the connection has ended, messages received before are returned first, then the error.
   */
  recv(signal?: AbortSignal): Promise<ReceivedMessage> {
    return this.#receiver.take(signal)
  }

  /**
   * Sends a packet of at most 64 KiB. `data` is copied at once.
   *
   * Resolves when the transport has taken it. Rate limits announced by the relay are respected by waiting; an abort during
   * that wait cancels the packet.
   */
  async send(destination: NodePublicKey, data: Uint8Array, signal?: AbortSignal): Promise<void> {
    assertPacket('send packet', data)
    await this.#packets.send(encodeClientToServer({ type: 'sendPacket', destination, data }), signal)
  }

  /** Sends a packet on behalf of a client of another relay of the mesh; needs the mesh key. */
  async forwardPacket(source: NodePublicKey, destination: NodePublicKey, data: Uint8Array): Promise<void> {
    assertPacket('forward packet', data)
    await this.forwardFrames(encodeClientToServer({ type: 'forwardPacket', source, destination, data }))
  }

  /** Sends encoded ForwardPacket frames; the buffer must not change until the promise settles. */
  async forwardFrames(frames: Uint8Array): Promise<void> {
    const timer = this.#clock.after(FORWARD_TIMEOUT_MS, () => this.#abandon(notForwarded()))
    try {
      await this.#sender.send(frames)
    } finally {
      timer.cancel()
    }
  }

  /** Sends a Ping of eight bytes; the reply is an ordinary message. Rejects with a RangeError for other lengths. */
  async sendPing(payload: Uint8Array): Promise<void> {
    assertPingPayload('send ping', payload)
    await this.#send({ type: 'ping', payload })
  }

  /** Replies to a Ping with its eight bytes. Rejects with a RangeError for other lengths. */
  async sendPong(payload: Uint8Array): Promise<void> {
    assertPingPayload('send pong', payload)
    await this.#send({ type: 'pong', payload })
  }

  /** Tells the relay whether it is this client's home. */
  notePreferred(preferred: boolean): Promise<void> {
    return this.#send({ type: 'notePreferred', preferred })
  }

  /** Subscribes to clients that connect and disconnect, starting with those connected now; needs the mesh key. */
  watchConnectionChanges(): Promise<void> {
    return this.#send({ type: 'watchConns' })
  }

  /** Makes the relay close all connections of `peer`; needs the mesh key. */
  closePeer(peer: NodePublicKey): Promise<void> {
    return this.#send({ type: 'closePeer', peer })
  }

  /** Closes the connection at once. Pending and later calls reject with `error`, unless it had ended before. */
  close(error: DerpError = closedHere()): void {
    this.#abandon(error)
    this.#receiver.clear()
  }

  /** @internal */
  onData(chunk: Uint8Array): void {
    this.#receiver.push(chunk)
  }

  /** @internal */
  onClose(cause?: Error): void {
    this.#onBroken(this.#isLetIn || cause !== undefined ? connectionClosed('receive', cause) : notLetIn())
  }

  #send(message: ClientToServer): Promise<void> {
    return this.#sender.send(encodeClientToServer(message))
  }

  #onMessage(message: ReceivedMessage): void {
    if (message.type === 'serverInfo') {
      this.#isLetIn = true
      this.#packets.limit(message.tokenBucketBytesPerSecond, message.tokenBucketBytesBurst)
    } else if (message.type === 'ping' && this.#autoPong) this.#answer(message.payload)
    else if (message.type === 'health') this.#observer.onHealth?.(message.problem)
  }

  /** Pings that arrive while a Pong waits to be written get no reply, so that they cannot pile up (P-091). */
  #answer(payload: Uint8Array): void {
    if (this.#pongUnderWay) return
    this.#pongUnderWay = true
    // A failed write ends the connection, which reports it.
    this.#send({ type: 'pong', payload }).then(
      () => {
        this.#pongUnderWay = false
      },
      () => {},
    )
  }

  /** Ends the connection, keeping only messages already queued. */
  #abandon(error: DerpError): void {
    this.#end(error)
    this.#receiver.abandon(this.#error ?? error)
  }

  /** The transport has ended; data received before is still read. */
  #onBroken(error: DerpError): void {
    this.#end(error)
    this.#receiver.drain(this.#error ?? error)
  }

  #end(error: DerpError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#sender.fail(error)
    this.#packets.fail(error)
    this.#conn.destroy()
    this.#observer.onEnd?.(error)
  }
}

function closedHere(): DerpError {
  return new DerpError('ERR_DERP_CONN_CLOSED', 'use connection to relay: closed locally')
}

/** Relays give no reason: they close. */
function notLetIn(): DerpError {
  const meaning = 'it does not admit this key (see its admission settings and log), or is going down'
  return new DerpError(
    'ERR_DERP_CONN_CLOSED',
    `log in: connection closed by the relay after the login was sent: ${meaning}`,
  )
}

function notForwarded(): DerpError {
  return new DerpError('ERR_DERP_WRITE_TIMEOUT', `forward packet: not written in ${FORWARD_TIMEOUT_MS} ms`, {
    clause: 'P-212',
  })
}

/**
 * The client half of the login: from a new connection to one that carries frames.
 *
 * It completes when ClientInfo has been sent; ServerInfo arrives later, as a message (P-201).
 * Clauses: P-030 order, P-031 greeting, P-122 known key, P-202 time limit.
 */

import type { NodePublicKey } from '../keys/public-key.ts'
import { abortedError, onAbort } from '../lib/abort.ts'
import { DerpError } from '../lib/derp-error.ts'
import { FRAME_HEADER_LENGTH } from '../protocol/constants.ts'
import { FrameDecoder } from '../protocol/frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS } from '../protocol/frame-type.ts'
import { encodeClientHello, readGreeting } from '../protocol/login.ts'
import type { Conn, ConnHandler } from '../transport/conn.ts'
import { FrameSender } from './frame-sender.ts'
import {
  type DerpClientOptions,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  resolveNumber,
} from './options.ts'

/** Result of a login. */
export interface LoggedIn {
  readonly serverKey: NodePublicKey
  /** Precomputed key of client and relay: opens ServerInfo. */
  readonly sharedKey: Uint8Array
  /** May contain bytes that followed the greeting. */
  readonly decoder: FrameDecoder
  readonly sender: FrameSender
}

export class LoginAttempt<T> implements ConnHandler {
  readonly #conn: Conn
  readonly #options: DerpClientOptions
  readonly #resolved: ResolvedConnectionOptions
  readonly #timeoutMs: number
  readonly #begin: (loggedIn: LoggedIn) => T
  readonly #decoder: FrameDecoder
  readonly #sender: FrameSender
  readonly #outcome = Promise.withResolvers<T>()
  #awaitsGreeting: boolean
  #over = false

  /** @param begin takes over the connection in the same turn, so that no data is missed. */
  constructor(conn: Conn, options: DerpClientOptions, begin: (loggedIn: LoggedIn) => T) {
    this.#conn = conn
    this.#options = options
    this.#resolved = resolveConnectionOptions(options)
    this.#timeoutMs = resolveNumber('connectTimeoutMs', options.loginTimeoutMs)
    this.#begin = begin
    this.#awaitsGreeting = options.serverKey === undefined
    // With a known key the ServerKey that arrives is just a frame to skip.
    this.#decoder = new FrameDecoder(this.#awaitsGreeting ? CLIENT_LOGIN_BOUNDS : CLIENT_BOUNDS)
    this.#sender = new FrameSender(conn, error => this.#fail(error))
  }

  /** Logs in. The connection is destroyed if that fails or `signal` is aborted. */
  async run(signal?: AbortSignal): Promise<T> {
    const timer = this.#resolved.clock.after(this.#timeoutMs, () => this.#fail(timedOut(this.#timeoutMs)))
    const stopListening = onAbort(signal, aborted => this.#fail(abortedError('log in', aborted)))
    this.#conn.open(this)
    const { serverKey } = this.#options
    if (serverKey !== undefined) this.#sayHello(serverKey).catch(error => this.#fail(error))
    try {
      return await this.#outcome.promise
    } finally {
      timer.cancel()
      stopListening()
    }
  }

  onData(chunk: Uint8Array): void {
    if (this.#over) return
    this.#decoder.push(chunk)
    if (!this.#awaitsGreeting) return
    try {
      if (this.#decoder.next()) this.#onGreeting()
    } catch (error) {
      this.#fail(error)
    }
  }

  onClose(cause?: Error): void {
    this.#fail(connectionClosed('log in', cause))
  }

  #onGreeting(): void {
    const { type, buffer, start, length } = this.#decoder
    const body = buffer.subarray(start + FRAME_HEADER_LENGTH, start + FRAME_HEADER_LENGTH + length)
    const serverKey = readGreeting(type, body)
    this.#awaitsGreeting = false
    this.#decoder.bounds = CLIENT_BOUNDS
    // The rest is read once the connection is running.
    this.#conn.pause()
    this.#sayHello(serverKey).catch(error => this.#fail(error))
  }

  async #sayHello(serverKey: NodePublicKey): Promise<void> {
    const { privateKey, agreement } = this.#options
    const { meshKey, isProber, appName, canAckPings } = this.#resolved
    const sharedKey = await agreement.agree(privateKey, serverKey)
    const info = {
      ...(meshKey && { meshKey: meshKey.exportText() }),
      ...(appName !== undefined && { appName }),
      isProber,
      canAckPings,
    }
    await this.#sender.send(encodeClientHello(privateKey.publicKey(), sharedKey, info))
    if (this.#over) return
    this.#over = true
    this.#outcome.resolve(this.#begin({ serverKey, sharedKey, decoder: this.#decoder, sender: this.#sender }))
  }

  #fail(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    const error =
      reason instanceof DerpError
        ? reason
        : new DerpError('ERR_DERP_DIAL_FAILED', `log in: ${String(reason)}`, { cause: reason })
    this.#sender.fail(error)
    this.#outcome.reject(error)
    this.#conn.destroy()
  }
}

/** The error of calls on a connection closed by the peer or the network; a transport may know more. */
export function connectionClosed(action: string, cause: Error | undefined): DerpError {
  if (cause instanceof DerpError) return cause
  return new DerpError('ERR_DERP_CONN_CLOSED', `${action}: ${cause?.message ?? 'connection closed by the relay'}`, {
    cause,
  })
}

function timedOut(timeoutMs: number): DerpError {
  return new DerpError('ERR_DERP_LOGIN_TIMEOUT', `log in: not complete after ${timeoutMs} ms`, { clause: 'P-202' })
}

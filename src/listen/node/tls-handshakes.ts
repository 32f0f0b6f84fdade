/** TLS handshakes of a listener: raw connections go in and proceed once secure (P-140–P-142). */

import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'
import type { Connection } from './accepted-connection.ts'

/** Includes what the platform's type omits. */
interface ServedTlsSocket extends TLSSocket {
  /** The socket below. */
  readonly _parent?: Socket | null
}

/** A handshake that failed or cannot start; the sockets are closed next. */
export interface FailedHandshake {
  readonly error: NodeJS.ErrnoException
  /** The requested server name, if the handshake got that far. */
  readonly serverName: string | undefined
  readonly remoteAddress: string | undefined
  /** Undefined for an authority. */
  readonly connection: Connection | undefined
}

export type HandshakeFailed = (failed: FailedHandshake) => void

/** A handshake that has yet to succeed. */
interface Expected {
  readonly connection: Connection
  readonly onClose: () => void
}

export class TlsHandshakes {
  readonly #server: Server
  readonly #onFailed: HandshakeFailed
  /** By raw socket. */
  readonly #expected = new WeakMap<Socket, Expected>()

  /** @param server does not listen itself. */
  constructor(server: Server, onFailed: HandshakeFailed) {
    this.#server = server
    this.#onFailed = onFailed
    server.on('secureConnection', (socket: ServedTlsSocket) => this.#onSecure(socket))
    server.on('tlsClientError', (error: Error, socket: ServedTlsSocket) => {
      onFailed({ ...failureOf(error, socket), connection: this.#take(socket._parent) })
    })
  }

  /** From now on a close counts as a failed handshake, whether it has begun or not. */
  expect(connection: Connection): void {
    const { raw } = connection
    // Bun reports nothing for a socket that we close; Node does, after this.
    const onClose = () => setImmediate(() => this.#onClosed(raw))
    this.#expected.set(raw, { connection, onClose })
    raw.once('close', onClose)
  }

  /** Starts the handshake with an expected client; the connection proceeds if it succeeds. */
  begin({ raw }: Connection): void {
    this.#server.emit('connection', raw)
  }

  /** Fails a handshake before it has begun. */
  fail(connection: Connection, error: NodeJS.ErrnoException): void {
    this.release(connection)
    this.#onFailed({ error, serverName: undefined, remoteAddress: connection.raw.remoteAddress, connection })
  }

  /** Another server performs the handshake. */
  release({ raw }: Connection): void {
    this.#take(raw)
  }

  #onSecure(socket: ServedTlsSocket): void {
    const connection = this.#take(socket._parent)
    if (connection === undefined) throw new TypeError('take secure connection: it was not expected')
    connection.socket = socket
    connection.proceed()
  }

  #onClosed(raw: Socket): void {
    const connection = this.#take(raw)
    if (connection === undefined) return
    const error = Object.assign(new Error('shake hands: closed'), { code: 'ECONNRESET' })
    this.#onFailed({ error, serverName: undefined, remoteAddress: undefined, connection })
  }

  #take(raw: Socket | null | undefined): Connection | undefined {
    const expected = raw ? this.#expected.get(raw) : undefined
    if (!raw || expected === undefined) return undefined
    this.#expected.delete(raw)
    raw.off('close', expected.onClose)
    return expected.connection
  }
}

/** What a `tlsClientError` tells. */
export function failureOf(error: NodeJS.ErrnoException, socket: ServedTlsSocket): Omit<FailedHandshake, 'connection'> {
  // What the platform's type omits; false or null before it is known.
  const { servername } = socket as { readonly servername?: string | false | null }
  return {
    error,
    serverName: servername || undefined,
    remoteAddress: socket.remoteAddress ?? socket._parent?.remoteAddress,
  }
}

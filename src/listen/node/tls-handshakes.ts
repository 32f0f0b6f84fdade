/** TLS handshakes of a listener: raw connections go in and proceed once secure (P-140–P-142). */

import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'
import type { Connection } from './accepted-connection.ts'

/** Includes what the platform's type omits. */
export interface ServedTlsSocket extends TLSSocket {
  /** The socket below. */
  readonly _parent?: Socket | null
}

/** Called for a failed handshake; the sockets are closed next. `socket` is the raw one where none has begun. */
export type HandshakeFailed = (
  error: NodeJS.ErrnoException,
  socket: ServedTlsSocket | Socket,
  connection: Connection | undefined,
) => void

export class TlsHandshakes {
  readonly #server: Server
  /** By raw socket. */
  readonly #connections = new WeakMap<Socket, Connection>()

  /** @param server does not listen itself. */
  constructor(server: Server, onFailed: HandshakeFailed) {
    this.#server = server
    server.on('secureConnection', (socket: ServedTlsSocket) => this.#onSecure(socket))
    server.on('tlsClientError', (error: Error, socket: ServedTlsSocket) =>
      onFailed(error, socket, this.#connectionOf(socket)),
    )
  }

  /** Starts the handshake with a client; the connection proceeds if it succeeds. */
  begin(connection: Connection): void {
    this.#connections.set(connection.raw, connection)
    this.#server.emit('connection', connection.raw)
  }

  #onSecure(socket: ServedTlsSocket): void {
    const connection = this.#connectionOf(socket)
    if (connection === undefined) throw new TypeError('take secure connection: it was not begun here')
    connection.socket = socket
    connection.proceed()
  }

  #connectionOf({ _parent: raw }: ServedTlsSocket): Connection | undefined {
    const connection = raw ? this.#connections.get(raw) : undefined
    if (raw) this.#connections.delete(raw)
    return connection
  }
}

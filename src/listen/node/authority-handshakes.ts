/**
 * Performs the TLS handshakes of authorities that validate a name (P-147); other connections proceed.
 *
 * Authorities are recognised by their first bytes, before any TLS server sees them: not every runtime lets us see the
 * protocol before it picks the certificate. While no validation is due, nothing is read.
 */

import { createServer, type Server, type TlsOptions } from 'node:tls'
import { type ClientHello, readClientHello } from '../../tls/client-hello.ts'
import type { Connection } from './accepted-connection.ts'
import { readFirstBytes } from './first-bytes.ts'
import { failureOf, type HandshakeFailed } from './tls-handshakes.ts'

/** What answers authorities; `RelayTls` has this shape. */
export interface AuthorityResponses {
  /** A validation is due. */
  readonly awaitsAuthority: boolean
  isAuthority(hello: ClientHello): boolean
  /** Options of a server that answers authorities only. */
  responseOptions(): TlsOptions
}

export class AuthorityHandshakes {
  readonly #tls: AuthorityResponses
  readonly #server: Server
  readonly #onTaken: (connection: Connection) => void

  /** @param onTaken called for each connection of an authority. */
  constructor(
    tls: AuthorityResponses,
    onFailed: HandshakeFailed,
    onTaken: (connection: Connection) => void = () => {},
  ) {
    this.#tls = tls
    this.#onTaken = onTaken
    // It never listens. An authority only needs the handshake.
    this.#server = createServer(tls.responseOptions(), socket => socket.on('error', () => {}).end())
    this.#server.on('tlsClientError', (error, socket) =>
      onFailed({ ...failureOf(error, socket), connection: undefined }),
    )
  }

  /** Takes the connection of an authority; others proceed. */
  take(connection: Connection): void {
    if (!this.#tls.awaitsAuthority) {
      connection.proceed()
      return
    }
    const { raw } = connection
    readFirstBytes(raw, readClientHello, (hello, bytes) => {
      raw.unshift(bytes)
      if (!this.#tls.isAuthority(hello)) {
        connection.proceed()
        return
      }
      this.#onTaken(connection)
      this.#server.emit('connection', raw)
    })
  }
}

/** TLS sessions, with the certificate details that a resumed session does not repeat (P-143). Pure. */

import type { NodePublicKey } from '../../keys/public-key.ts'
import type { PeerCertificate } from '../ports.ts'

/** Maximum sessions kept; a client has few relays. */
const MAX_SESSIONS = 32

/** A resumable session. */
export interface TlsSession<C extends PeerCertificate = PeerCertificate> {
  /** Opaque to everything but the platform. */
  readonly ticket: Uint8Array
  readonly certificates: readonly C[]
  /** From the meta certificate. */
  readonly serverKey: NodePublicKey | undefined
}

/**
 * The newest session per key: the peer, and how it was verified.
 *
 * A ticket is reused until there is a new one, because not every server issues one per connection. That observers can
 * link the connections (RFC 8446, appendix C.4) reveals no more than their common address.
 */
export class TlsSessions<C extends PeerCertificate = PeerCertificate> {
  readonly #sessions = new Map<string, TlsSession<C>>()

  get size(): number {
    return this.#sessions.size
  }

  put(key: string, session: TlsSession<C>): void {
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MAX_SESSIONS) return
      this.#sessions.delete(oldest)
    }
  }

  /** The session, unless the server's certificate has expired since: resuming would not notice. */
  get(key: string, wallNowMs: number): TlsSession<C> | undefined {
    const session = this.#sessions.get(key)
    const expiresMs = session?.certificates[0]?.validToDate.getTime() ?? Number.NEGATIVE_INFINITY
    if (wallNowMs <= expiresMs) return session
    this.#sessions.delete(key)
    return undefined
  }

  forget(key: string): void {
    this.#sessions.delete(key)
  }

  clear(): void {
    this.#sessions.clear()
  }
}

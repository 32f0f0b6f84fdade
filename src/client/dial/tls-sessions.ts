/** Remembers TLS sessions, and what the certificates said that a resumed session does not show (P-143). Pure. */

import type { NodePublicKey } from '../../keys/node-key.ts'
import type { PeerCertificate } from '../ports.ts'

/** Most sessions remembered; a client has few relays. */
const MAX_SESSIONS = 32

/** A session that can be resumed. */
export interface TlsSession<C extends PeerCertificate = PeerCertificate> {
  /** For the platform alone to read. */
  readonly ticket: Uint8Array
  readonly certificates: readonly C[]
  /** From the meta certificate. */
  readonly serverKey: NodePublicKey | undefined
}

/**
 * The newest session of each key: what was connected to, and how it was checked.
 *
 * A ticket is used until there is another one, as not every server gives one with each connection. That observers can
 * link the connections by it (RFC 8446, appendix C.4) tells them no more than that they come from one address.
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

/**
 * What other threads need to serve the same TLS, as transferable data.
 *
 * Only one thread reads files or talks to an authority; the others serve what it sends them.
 */

import type { CertificatePair } from './x509.ts'

/** A snapshot, from which a thread creates its `RelayTls`. */
export interface TlsState {
  readonly hostname: string
  readonly metaCertificate: string
  readonly ticketKeys: Uint8Array | undefined
  /** For clients that send the host name, or no DNS name if it is an IP address. */
  readonly certificate: CertificatePair | undefined
  /** For clients that send no DNS name, besides a certificate for a name. */
  readonly unnamedCertificate: CertificatePair | undefined
  /** Challenge certificates by server name; undefined if no authority is used. */
  readonly tlsAnswers: readonly (readonly [serverName: string, pair: CertificatePair])[] | undefined
}

/** A change of the state. */
export type TlsUpdate =
  | { readonly type: 'certificate' | 'unnamedCertificate'; readonly pair: CertificatePair }
  /** `pair` is undefined once the challenge is over. */
  | { readonly type: 'tlsAnswer'; readonly serverName: string; readonly pair: CertificatePair | undefined }

/** Sends an update to another thread; resolves once that thread applies it, and rejects if it never will. */
export type SendTlsUpdate = (update: TlsUpdate) => Promise<void>

/** The other threads. */
export class TlsReplicas {
  readonly #sends = new Set<SendTlsUpdate>()

  /** Adds a thread; returns a function that removes it. */
  add(send: SendTlsUpdate): () => void {
    this.#sends.add(send)
    return () => this.#sends.delete(send)
  }

  /** Resolves when all threads have applied the update; a thread that is gone serves no one. Never rejects. */
  async tell(update: TlsUpdate): Promise<void> {
    await Promise.allSettled(Array.from(this.#sends, send => send(update)))
  }
}

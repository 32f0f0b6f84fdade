/**
 * What other threads must know to serve the same TLS as this one, as data that can be sent to them.
 *
 * Only one thread reads files or asks an authority; the others show what it tells them.
 */

import type { CertificatePair } from './x509.ts'

/** All of it at one moment. A thread makes a `RelayTls` of it. */
export interface TlsState {
  readonly hostname: string
  readonly metaCertificate: string
  readonly ticketKeys: Uint8Array | undefined
  /** For those who ask for the host name, or for no DNS name if it is an IP address. */
  readonly certificate: CertificatePair | undefined
  /** For those who ask for no DNS name, beside one that is for a name. */
  readonly unnamedCertificate: CertificatePair | undefined
  /** What to show to an authority, by server name; undefined where none is asked for certificates. */
  readonly tlsAnswers: readonly (readonly [serverName: string, pair: CertificatePair])[] | undefined
}

/** A change of it. */
export type TlsUpdate =
  | { readonly type: 'certificate' | 'unnamedCertificate'; readonly pair: CertificatePair }
  /** `pair` is undefined once the authority has looked. */
  | { readonly type: 'tlsAnswer'; readonly serverName: string; readonly pair: CertificatePair | undefined }

/** Sends an update to another thread; resolves once that serves accordingly, and rejects if it never will. */
export type SendTlsUpdate = (update: TlsUpdate) => Promise<void>

/** The other threads. */
export class TlsReplicas {
  readonly #sends = new Set<SendTlsUpdate>()

  /** One more must be told from now on; what it returns is called when that is over. */
  add(send: SendTlsUpdate): () => void {
    this.#sends.add(send)
    return () => this.#sends.delete(send)
  }

  /** Resolves when all have taken the update; one that is gone serves nobody. Never rejects. */
  async tell(update: TlsUpdate): Promise<void> {
    await Promise.allSettled(Array.from(this.#sends, send => send(update)))
  }
}

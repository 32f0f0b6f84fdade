/** Checks with the issuer whether a certificate is revoked: by CRL, else by OCSP, at the URLs in the certificate. */

import type { PeerCertificate } from '../../client/ports.ts'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { RevocationResult } from '../ports.ts'
import { readCrl } from './crl.ts'
import { findIssuer } from './issuer.ts'
import { ocspRequest, readOcspResponse } from './ocsp.ts'
import { revocationPlaces } from './revocation-places.ts'
import type { Statement } from './statement.ts'

export interface FetchRequest {
  readonly url: string
  /** Undefined for a GET. */
  readonly post?: { readonly type: string; readonly body: Uint8Array<ArrayBuffer> } | undefined
}

/** Rejects when the host does not answer. */
export type FetchBytes = (
  request: FetchRequest,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly body: Uint8Array<ArrayBuffer> }>

export interface RevocationPorts {
  readonly clock: Clock
  /** PEM of the trusted CAs, one of which may have issued the certificate. */
  readonly authorities: readonly string[]
  readonly fetchBytes: FetchBytes
}

/** A statement is asked for again after this time, and when its authority has announced a new one. */
const MAX_AGE_MS = 3_600_000
/** More certificates than one prober sees. */
const MAX_KNOWN = 10_000
/** Since this day all certificates of Let's Encrypt name a CRL. */
const LETS_ENCRYPT_CRL_MS: number = Date.UTC(2025, 4, 7)

export class RevocationChecker {
  readonly #ports: RevocationPorts
  /** Statements about certificates by their fingerprints. */
  readonly #known = new Map<string, { readonly statement: Statement; readonly untilMs: number }>()

  constructor(ports: RevocationPorts) {
    this.#ports = ports
  }

  /** @throws DerpError when it is revoked, or when the place that it names does not answer as it should. */
  async check(chain: readonly PeerCertificate[], signal: AbortSignal): Promise<RevocationResult> {
    const [leaf] = chain
    if (leaf === undefined) return { kind: 'unchecked', reason: 'the server showed no certificate' }
    const { crl, ocsp } = await revocationPlaces(leaf.raw)
    const place = crl ?? ocsp
    if (place === undefined) return withoutPlace(leaf)
    const known = this.#known.get(leaf.fingerprint256)
    const isFresh = known !== undefined && this.#ports.clock.wallNow() < known.untilMs
    const statement = isFresh ? known.statement : await this.#ask(leaf, chain, { crl, ocsp }, signal)
    if (!isFresh) this.#remember(leaf, statement)
    if (statement.revoked === undefined) return { kind: 'good' }
    const { atMs, reason } = statement.revoked
    throw failure(leaf, `it was revoked on ${new Date(atMs).toISOString()} (${reason}); replace it`)
  }

  async #ask(
    leaf: PeerCertificate,
    chain: readonly PeerCertificate[],
    { crl, ocsp }: { readonly crl: string | undefined; readonly ocsp: string | undefined },
    signal: AbortSignal,
  ): Promise<Statement> {
    const url = crl ?? ocsp ?? ''
    try {
      const issuer = findIssuer(leaf, chain, this.#ports.authorities)
      if (issuer === undefined)
        throw new Error('its issuer is neither sent along nor trusted, so nobody can vouch for it')
      const post =
        crl === undefined ? { type: 'application/ocsp-request', body: await ocspRequest(leaf, issuer) } : undefined
      const { status, body } = await this.#ports.fetchBytes({ url, post }, signal)
      if (status !== 200) throw new Error(`status ${status}`)
      return crl === undefined
        ? await readOcspResponse(body, leaf, issuer, this.#ports.clock.wallNow())
        : await readCrl(body, leaf, issuer)
    } catch (error) {
      if (signal.aborted) throw error
      throw failure(leaf, `${crl === undefined ? 'OCSP' : 'CRL'} of ${url}: ${(error as Error).message}`, error)
    }
  }

  /** One that names no successor holds for now only. */
  #remember({ fingerprint256 }: PeerCertificate, statement: Statement): void {
    const { nextUpdateMs } = statement
    if (nextUpdateMs === undefined) return
    const nowMs = this.#ports.clock.wallNow()
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(fingerprint256, {
      statement,
      untilMs: Math.min(nowMs + MAX_AGE_MS, nextUpdateMs),
    })
  }
}

function withoutPlace(leaf: PeerCertificate): RevocationResult {
  const isLetsEncrypt = /^O=Let's Encrypt$/m.test(leaf.issuer)
  if (isLetsEncrypt && leaf.validFromDate.getTime() >= LETS_ENCRYPT_CRL_MS) {
    throw failure(leaf, "it names no CRL, as all certificates of Let's Encrypt do")
  }
  return { kind: 'unchecked', reason: 'the certificate names neither a CRL nor an OCSP server' }
}

function failure({ subject }: Pick<PeerCertificate, 'subject'>, reason: string, cause?: unknown): DerpError {
  const name = subject.trim().replaceAll('\n', ', ')
  return new DerpError('ERR_DERP_PROBE_FAILED', `check revocation of ${name}: ${reason}`, { cause })
}

/**
 * Certificates of a folder that are replaced while the relay runs (P-146).
 *
 * Changes are told by the operating system where it can, and looked for by the clock in any case: links may lead to
 * places that cannot be watched. Only what the files say counts, not their times.
 */

import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import { type CertificateSource, type CertificateStatus, summarizeCertificate } from '../certificate-source.ts'
import type { ReadMapNodePorts } from '../map-node.ts'
import type { CertificatePair } from '../x509.ts'
import {
  checkManualCertificate,
  type ManualCertificate,
  type ManualCertificateOptions,
  readManualFiles,
} from './manual-certs.ts'
import { type FolderWatch, foldersOf, WatchedFolders } from './watched-folders.ts'

export interface WatchedCertificatesOptions extends ManualCertificateOptions {
  /** What the relay shows now. */
  readonly certificate: ManualCertificate
  /** Shows another. Throws if it cannot be used; then the one before stays. */
  readonly replace: (certificate: ManualCertificate) => void
  /** For what the log says of a DERP map. */
  readonly mapNodePorts?: ReadMapNodePorts | undefined
  /** Milliseconds between periodic checks. Default {@link DEFAULTS.pollMs}. */
  readonly pollMs?: number | undefined
  /** For tests. */
  readonly createWatch?: ((onChange: () => void) => FolderWatch) | undefined
}

/** Milliseconds. */
export const DEFAULTS: {
  readonly pollMs: number
  /** Delay from a change to the check: most changes come in several steps. */
  readonly debounceMs: number
  /** How long files may be inconsistent before that is an error: certificate and key are replaced separately. */
  readonly settleMs: number
} = Object.freeze({ pollMs: 60_000, debounceMs: 200, settleMs: 3_000 })

/** File contents at one check; `content` identifies them. */
type Look =
  | { readonly content: string; readonly pair: CertificatePair }
  | { readonly content: string; readonly error: Error }

export class WatchedCertificates implements CertificateSource {
  readonly #options: WatchedCertificatesOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #folders: FolderWatch
  readonly #status: { -readonly [K in keyof CertificateStatus]: CertificateStatus[K] }
  /** Contents in use, contents not yet considered bad, and contents reported as bad. */
  #shown: string
  #suspect: { readonly content: string; readonly sinceMs: number } | undefined
  #reported: string | undefined
  #timer: Timer | undefined
  #timerDueMs = Number.POSITIVE_INFINITY
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: WatchedCertificatesOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    const { createWatch = onChange => new WatchedFolders(onChange) } = options
    this.#folders = createWatch(() => this.#lookIn(DEFAULTS.debounceMs))
    this.#shown = contentOf(options.certificate)
    const { fingerprint, notAfterMs } = summarizeCertificate(options.certificate.certificate)
    this.#status = {
      subject: options.hostname,
      fingerprint,
      notAfterMs,
      lastError: undefined,
      lastErrorMs: undefined,
      nextAttemptMs: undefined,
      failures: 0,
      replacements: 0,
    }
  }

  status(): readonly CertificateStatus[] {
    return [{ ...this.#status }]
  }

  async start(): Promise<void> {
    this.#log.info('certificate loaded', this.#logFields())
    this.#tellMapNode(this.#options.certificate)
    await this.#lookNow(false)
  }

  reload(): Promise<void> {
    return this.#lookNow(true)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#folders.close()
    await this.#looking
  }

  /** Checks after a delay, or at the time already set if that is earlier. */
  #lookIn(delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs
    if (this.#closed || dueMs >= this.#timerDueMs) return
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    this.#timer = this.#clock.after(delayMs, () => void this.#lookNow(false))
  }

  /** One check at a time. */
  #lookNow(isAsked: boolean): Promise<void> {
    this.#timer?.cancel()
    this.#timerDueMs = Number.POSITIVE_INFINITY
    this.#looking = this.#looking.then(() => (this.#closed ? undefined : this.#look(isAsked)))
    return this.#looking
  }

  async #look(isAsked: boolean): Promise<void> {
    const { certificate, key } = this.#options.certificate.paths
    const folders = await Promise.all([foldersOf(certificate), foldersOf(key)])
    // Before reading, so that later changes are noticed.
    if (!this.#closed) this.#folders.set(new Set(folders.flatMap(some => [...some])))
    this.#judge(await this.#read(), isAsked)
    this.#lookIn(this.#options.pollMs ?? DEFAULTS.pollMs)
  }

  async #read(): Promise<Look> {
    try {
      const pair = await readManualFiles(this.#options)
      return { content: contentOf(pair), pair }
    } catch (error) {
      return { content: (error as Error).message, error: error as Error }
    }
  }

  #judge(look: Look, isAsked: boolean): void {
    if ('error' in look) {
      this.#judgeBad(look.content, look.error, isAsked)
    } else if (look.content === this.#shown) {
      this.#settleOn(look.content)
      if (isAsked) this.#log.info('certificate unchanged', this.#logFields())
    } else if (look.content !== this.#reported || isAsked) {
      this.#tryPair(look.content, look.pair, isAsked)
    }
  }

  #tryPair(content: string, pair: CertificatePair, isAsked: boolean): void {
    let certificate: ManualCertificate
    try {
      certificate = checkManualCertificate(pair, this.#options)
      this.#options.replace(certificate)
    } catch (error) {
      this.#judgeBad(content, error as Error, isAsked)
      return
    }
    const { fingerprint, notAfterMs } = summarizeCertificate(pair.certificate)
    this.#settleOn(content)
    this.#status.fingerprint = fingerprint
    this.#status.notAfterMs = notAfterMs
    this.#status.replacements++
    this.#log.info('certificate replaced', this.#logFields())
    this.#tellMapNode(certificate)
  }

  /** Another certificate has another pin. */
  #tellMapNode({ derpMapNode }: ManualCertificate): void {
    if (derpMapNode === undefined) return
    const node = { ...derpMapNode, ...this.#options.mapNodePorts?.() }
    this.#log.info('certificate for an IP address: put this node into the DERP map', { derpMapNode: node })
  }

  #judgeBad(content: string, error: Error, isAsked: boolean): void {
    if (content === this.#reported && !isAsked) return
    if (!isAsked && !this.#hasSettled(content)) return
    this.#reported = content
    this.#status.lastError = error.message
    this.#status.lastErrorMs = this.#clock.wallNow()
    this.#status.failures++
    this.#log.error('certificate not replaced: the new one is unusable', {
      ...this.#logFields(),
      reason: error.message,
    })
  }

  /** Whether the files have been unchanged for long enough; if not, schedules another check. */
  #hasSettled(content: string): boolean {
    const nowMs = this.#clock.now()
    if (this.#suspect?.content !== content) this.#suspect = { content, sinceMs: nowMs }
    const leftMs = this.#suspect.sinceMs + DEFAULTS.settleMs - nowMs
    if (leftMs > 0) this.#lookIn(leftMs)
    return leftMs <= 0
  }

  #settleOn(content: string): void {
    this.#shown = content
    this.#suspect = undefined
    this.#reported = undefined
    this.#status.lastError = undefined
    this.#status.lastErrorMs = undefined
  }

  #logFields() {
    const { fingerprint, notAfterMs } = this.#status
    const notAfter = notAfterMs === undefined ? undefined : new Date(notAfterMs).toISOString()
    return { file: this.#options.certificate.paths.certificate, fingerprint, notAfter }
  }
}

function contentOf({ certificate, key }: CertificatePair): string {
  return `${certificate}\n${key}`
}

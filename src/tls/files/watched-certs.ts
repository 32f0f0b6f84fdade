/**
 * Notices new certificates in a folder while the relay runs (P-146); `RelayTls.replace` then serves them.
 *
 * The operating system reports changes where it can, and polling finds the others: links may lead to places that cannot
 * be watched. Only the contents of the files count, not their times.
 */

import { type Clock, systemClock } from '../../lib/clock.ts'
import { ContentWatch } from '../../lib/files/content-watch.ts'
import { FileAccess } from '../../lib/files/node-file-access.ts'
import { type FolderWatch, WatchedFolders, watchableFoldersOf } from '../../lib/files/node-watched-folders.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import { type CertificateSource, type CertificateStatus, summarizeCertificate } from '../certificate-source.ts'
import type { ReadMapNodePorts } from '../map-node.ts'
import type { CertificatePair } from '../x509.ts'
import {
  checkManualCertificate,
  type ManualCertificate,
  type ManualCertificateOptions,
  ManualFiles,
} from './manual-certs.ts'

export interface WatchedCertificatesOptions extends ManualCertificateOptions {
  /** The certificate in use. */
  readonly certificate: ManualCertificate
  /** Switches to another. Throws if it is unusable; then the previous one stays. */
  readonly replace: (certificate: ManualCertificate) => void
  /** For what the log says of a DERP map. */
  readonly mapNodePorts?: ReadMapNodePorts | undefined
  /** Milliseconds between periodic checks. Default {@link DEFAULTS.pollMs}. */
  readonly pollMs?: number | undefined
  /** For tests. */
  readonly createWatch?: ((onChange: () => void) => FolderWatch) | undefined
  /** For tests. */
  readonly foldersOf?: ((path: string) => Promise<ReadonlySet<string>>) | undefined
}

/** Milliseconds. */
export const DEFAULTS: {
  readonly pollMs: number
  /** Delay from a change to the check: most changes come in several steps. */
  readonly debounceMs: number
  /** How long files may be inconsistent before that is an error: certificate and key are replaced separately. */
  readonly settleMs: number
} = Object.freeze({ pollMs: 60_000, debounceMs: 200, settleMs: 3_000 })

export class WatchedCertificates implements CertificateSource {
  readonly #options: WatchedCertificatesOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #files: ManualFiles
  readonly #folders: FolderWatch
  readonly #findFolders: FileAccess<ReadonlySet<string>>
  readonly #watch: ContentWatch<CertificatePair, ManualCertificate>
  readonly #status: { -readonly [K in keyof CertificateStatus]: CertificateStatus[K] }

  constructor(options: WatchedCertificatesOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    this.#files = new ManualFiles(options)
    const { createWatch = onChange => new WatchedFolders(onChange), pollMs = DEFAULTS.pollMs } = options
    this.#folders = createWatch(() => this.#watch.checkIn(DEFAULTS.debounceMs))
    this.#findFolders = new FileAccess('read', options.directory, this.#clock, () => this.#foldersNow())
    const content = {
      read: () => this.#read(),
      identityOf: ({ certificate, key }: CertificatePair) => `${certificate}\n${key}`,
      parse: (pair: CertificatePair) => checkManualCertificate(pair, options),
      use: (certificate: ManualCertificate) => this.#use(certificate),
      onSame: (isRequested: boolean) => this.#onSame(isRequested),
      onRejected: (error: Error) => this.#onRejected(error),
    }
    const times = { pollMs, settleMs: DEFAULTS.settleMs }
    this.#watch = new ContentWatch(content, options.certificate, this.#clock, times)
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
    await this.#watch.check(false)
  }

  reload(): Promise<void> {
    return this.#watch.check(true)
  }

  async close(): Promise<void> {
    this.#watch.close()
    this.#folders.close()
  }

  async #read(): Promise<CertificatePair> {
    const folders = await this.#findFolders.run()
    // Before reading, so that later changes are noticed.
    if (!this.#watch.isClosed) this.#folders.set(folders)
    return this.#files.read()
  }

  async #foldersNow(): Promise<ReadonlySet<string>> {
    const { certificate: loaded, foldersOf = watchableFoldersOf } = this.#options
    const { certificate, key } = loaded.paths
    return new Set([...(await foldersOf(certificate)), ...(await foldersOf(key))])
  }

  #use(certificate: ManualCertificate): void {
    this.#options.replace(certificate)
    const { fingerprint, notAfterMs } = summarizeCertificate(certificate.certificate)
    this.#forgetError()
    this.#status.fingerprint = fingerprint
    this.#status.notAfterMs = notAfterMs
    this.#status.replacements++
    this.#log.info('certificate replaced', this.#logFields())
    this.#tellMapNode(certificate)
  }

  #onSame(isRequested: boolean): void {
    this.#forgetError()
    if (isRequested) this.#log.info('certificate unchanged', this.#logFields())
  }

  #onRejected(error: Error): void {
    this.#status.lastError = error.message
    this.#status.lastErrorMs = this.#clock.wallNow()
    this.#status.failures++
    this.#log.error('certificate not replaced: the new one is unusable', {
      ...this.#logFields(),
      reason: error.message,
    })
  }

  #forgetError(): void {
    this.#status.lastError = undefined
    this.#status.lastErrorMs = undefined
  }

  /** Another certificate has another pin. */
  #tellMapNode({ derpMapNode }: ManualCertificate): void {
    if (derpMapNode === undefined) return
    const node = { ...derpMapNode, ...this.#options.mapNodePorts?.() }
    this.#log.info('certificate for an IP address: put this node into the DERP map', { derpMapNode: node })
  }

  #logFields() {
    const { fingerprint, notAfterMs } = this.#status
    const notAfter = notAfterMs === undefined ? undefined : new Date(notAfterMs).toISOString()
    return { file: this.#options.certificate.paths.certificate, fingerprint, notAfter }
  }
}

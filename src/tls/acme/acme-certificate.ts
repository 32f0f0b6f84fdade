/**
 * Obtains, stores, serves and renews one ACME certificate (P-149).
 *
 * On any failure the current certificate stays in use; the authority is asked again later, with back-off.
 */

import { isIP } from 'node:net'
import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import { type CertificateStatus, type CertificateSummary, summarizeCertificate } from '../certificate-source.ts'
import { type MapNode, mapNode, type ReadMapNodePorts } from '../map-node.ts'
import type { CertificatePair } from '../x509.ts'
import { type AcmeChallengeType, createAcmeKey } from './acme.ts'
import { type AcmeWish, assertCovers, obtainCertificate } from './acme-attempt.ts'
import { AcmeError } from './acme-error.ts'
import { type AcmeRecord, loadRecord, saveRecord } from './acme-record.ts'
import {
  type AttemptHistory,
  afterClockSetBack,
  afterFailure,
  afterRestart,
  afterSuccess,
  NO_ATTEMPTS,
  renewalDueMs,
} from './acme-schedule.ts'
import { type AcmePaths, acmePaths, loadAccountKey, loadAcmeCertificate, saveAcmeCertificate } from './acme-store.ts'

export interface AcmeCertificateOptions extends AcmeWish {
  /** Storage folder. */
  readonly directory: string
  /** Usable challenge types; each failure leads to the next. */
  readonly challengeTypes: readonly AcmeChallengeType[]
  /** Serves a certificate. Throws if it is unusable; then the previous one stays. */
  readonly replace: (certificate: CertificatePair) => void
  /** Ports for the DERP map entry in the log. */
  readonly mapNodePorts?: ReadMapNodePorts | undefined
  readonly log?: Log | undefined
  readonly clock?: Clock | undefined
  /** For tests: returns a number from 0 to 1. */
  readonly random?: (() => number) | undefined
}

/** Milliseconds between checks of the time: clocks get adjusted and machines sleep. */
const LOOK_MS = 3_600_000

/** Time limit for one order in milliseconds, waiting included. */
const ORDER_MS = 180_000

/** Milliseconds after a failure before a reload may retry. */
const RELOAD_MS = 60_000

export class AcmeCertificate {
  readonly #options: AcmeCertificateOptions
  readonly #paths: AcmePaths
  readonly #clock: Clock
  readonly #log: Log
  readonly #random: () => number
  readonly #status: { -readonly [K in keyof CertificateStatus]: CertificateStatus[K] }
  #history: AttemptHistory = NO_ATTEMPTS
  /** The certificate in use. */
  #summary: CertificateSummary | undefined
  /** When it is due for renewal, regardless of failures; 0 while there is none. */
  #dueMs = 0
  /** Until when the authority asked not to be contacted. */
  #leaveAloneMs = 0
  #timer: Timer | undefined
  #attempt: Promise<void> | undefined
  readonly #closing = new AbortController()

  constructor(options: AcmeCertificateOptions) {
    const [first] = options.identifiers
    if (first === undefined) throw new RangeError('order certificate: no identifiers')
    this.#options = options
    this.#paths = acmePaths(options.directory, first)
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    this.#random = options.random ?? Math.random
    this.#status = {
      subject: options.identifiers.join(','),
      fingerprint: undefined,
      notAfterMs: undefined,
      lastError: undefined,
      lastErrorMs: undefined,
      nextAttemptMs: undefined,
      failures: 0,
      replacements: 0,
    }
  }

  status(): CertificateStatus {
    return { ...this.#status }
  }

  /** Serves the stored certificate and orders a new one if due; does not wait for it. */
  async start(): Promise<void> {
    const record = await loadRecord(this.#paths.record)
    const isOfThis = record !== undefined && this.#isOfThis(record)
    if (isOfThis) this.#resume(record)
    await this.#loadStored()
    // A certificate from another directory, or for other identifiers, is served until there is a better one.
    if (record !== undefined && !(isOfThis && record.obtainedMs > 0)) this.#dueMs = 0
    this.#plan()
  }

  /** Picks up a certificate stored by another process, and retries now if the last attempt failed. */
  async reload(): Promise<void> {
    await this.#loadStored()
    if (this.#status.lastErrorMs !== undefined) {
      const soonestMs = Math.max(this.#status.lastErrorMs + RELOAD_MS, this.#leaveAloneMs)
      const notBeforeMs = Math.min(this.#history.notBeforeMs, soonestMs)
      this.#history = { ...this.#history, notBeforeMs }
    }
    this.#plan()
  }

  async close(): Promise<void> {
    this.#closing.abort(new AcmeError('relay is shutting down'))
    this.#timer?.cancel()
    await this.#attempt
  }

  #isOfThis({ directoryUrl, identifiers }: AcmeRecord): boolean {
    const { account, identifiers: wanted } = this.#options
    return directoryUrl === account.directoryUrl && identifiers.join() === wanted.join()
  }

  /** Continues from the state of the previous process. */
  #resume(record: AcmeRecord): void {
    this.#history = afterRestart(record, this.#clock.wallNow())
    if (record.lastError === undefined) return
    const { reason, atMs } = record.lastError
    this.#status.lastError = reason
    this.#status.lastErrorMs = Math.min(atMs, this.#clock.wallNow())
  }

  async #loadStored(): Promise<void> {
    const pair = await loadAcmeCertificate(this.#paths).catch((error: unknown) => {
      this.#log.warn('stored certificate cannot be read', { reason: (error as Error).message })
      return undefined
    })
    if (pair === undefined || pair.certificate === '') return
    try {
      assertCovers(pair, this.#options.required)
      const summary = summarizeCertificate(pair.certificate)
      // If storing failed, the served certificate is newer than the stored one.
      if (summary.notAfterMs <= Math.max(this.#clock.wallNow(), this.#status.notAfterMs ?? 0)) return
      this.#show(pair, summary, this.#history)
      if (this.#dueMs > this.#clock.wallNow()) this.#forgetError()
      this.#log.info('certificate loaded', this.#logFields())
    } catch (error) {
      this.#log.warn('stored certificate cannot be used', { ...this.#logFields(), reason: (error as Error).message })
    }
  }

  #show(pair: CertificatePair, summary: CertificateSummary, history: AttemptHistory): void {
    this.#options.replace(pair)
    this.#summary = summary
    this.#status.fingerprint = summary.fingerprint
    this.#status.notAfterMs = summary.notAfterMs
    this.#status.replacements++
    this.#dueMs = renewalDueMs(summary, history, this.#random())
  }

  /** Schedules the next step, or starts it. */
  #plan(): void {
    this.#timer?.cancel()
    if (this.#closing.signal.aborted || this.#attempt !== undefined) return
    this.#correct()
    const nextMs = Math.max(this.#dueMs, this.#history.notBeforeMs)
    const waitMs = nextMs - this.#clock.wallNow()
    if (waitMs > 0) {
      this.#status.nextAttemptMs = nextMs
      this.#timer = this.#clock.after(Math.min(waitMs, LOOK_MS), () => this.#plan())
      return
    }
    this.#status.nextAttemptMs = undefined
    this.#attempt = this.#tryOnce().finally(() => {
      this.#attempt = undefined
      this.#plan()
    })
  }

  /** The clock may have been set back. */
  #correct(): void {
    const corrected = afterClockSetBack(this.#history, this.#clock.wallNow())
    if (corrected === this.#history) return
    this.#history = corrected
    if (this.#summary !== undefined) this.#dueMs = renewalDueMs(this.#summary, corrected, this.#random())
  }

  /** Never rejects. */
  async #tryOnce(): Promise<void> {
    const order = new AbortController()
    const overdue = new AcmeError(`no certificate after ${ORDER_MS / 1000} s`)
    const deadline = this.#clock.after(ORDER_MS, () => order.abort(overdue))
    try {
      const { challengeTypes } = this.#options
      const challengeType = challengeTypes[this.#history.failures % challengeTypes.length] ?? 'http-01'
      const accountKey = await loadAccountKey(this.#paths, createAcmeKey)
      const signal = AbortSignal.any([order.signal, this.#closing.signal])
      const wanted = { ...this.#options, clock: this.#clock, log: this.#log, challengeType, accountKey, signal }
      await this.#succeed(await obtainCertificate(wanted))
    } catch (error) {
      if (!this.#closing.signal.aborted) await this.#fail(error as Error)
    } finally {
      deadline.cancel()
    }
  }

  async #succeed(pair: CertificatePair): Promise<void> {
    const history = afterSuccess(this.#clock.wallNow())
    this.#show(pair, summarizeCertificate(pair.certificate), history)
    this.#history = history
    this.#forgetError()
    this.#log.info('certificate obtained', { ...this.#logFields(), derpMapNodes: this.#mapNodes() })
    try {
      await saveAcmeCertificate(this.#paths, pair)
    } catch (error) {
      this.#log.error('certificate not stored', { file: this.#paths.certificate, reason: (error as Error).message })
    }
    await this.#saveRecord()
  }

  async #fail(error: Error): Promise<void> {
    const nowMs = this.#clock.wallNow()
    const retryAfterMs = (error instanceof AcmeError ? error.retryAfterMs : undefined) ?? 0
    this.#leaveAloneMs = nowMs + retryAfterMs
    this.#history = afterFailure(this.#history, nowMs, this.#random(), retryAfterMs)
    this.#status.lastError = error.message
    this.#status.lastErrorMs = nowMs
    this.#status.failures++
    const { failures, notBeforeMs } = this.#history
    const nextAttempt = new Date(notBeforeMs).toISOString()
    const what = this.#status.notAfterMs === undefined ? 'certificate not obtained' : 'certificate not renewed'
    this.#log.error(what, { ...this.#logFields(), reason: error.message, failures, nextAttempt })
    await this.#saveRecord()
  }

  /** DERP map entries for a relay addressed by IP. */
  #mapNodes(): readonly MapNode[] | undefined {
    const { identifiers, mapNodePorts } = this.#options
    if (identifiers.some(identifier => isIP(identifier) === 0)) return undefined
    return identifiers.map(address => ({ ...mapNode(address), ...mapNodePorts?.() }))
  }

  #forgetError(): void {
    this.#status.lastError = undefined
    this.#status.lastErrorMs = undefined
  }

  async #saveRecord(): Promise<void> {
    const { account, identifiers } = this.#options
    const { lastError: reason, lastErrorMs: atMs } = this.#status
    const lastError = reason === undefined || atMs === undefined ? undefined : { reason, atMs }
    const record = { directoryUrl: account.directoryUrl, identifiers, ...this.#history, lastError }
    await saveRecord(this.#paths.record, record).catch((error: unknown) => {
      this.#log.warn('ACME state not stored', { reason: (error as Error).message })
    })
  }

  #logFields() {
    const { subject, fingerprint, notAfterMs } = this.#status
    const notAfter = notAfterMs === undefined ? undefined : new Date(notAfterMs).toISOString()
    return { subject, fingerprint, notAfter }
  }
}

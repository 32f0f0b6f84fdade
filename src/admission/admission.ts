/**
 * The relay's admission gate: asks the policies, then logs and counts the result.
 *
 * Clause: P-040.
 */

import type { ProxyEnv } from '../client/node/node-proxy-rules.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type AdmissionCounters, DenialReason } from '../metrics/admission-counters.ts'
import type { AdmissionGate, AdmissionRequest, AdmissionVerdict } from '../server/ports.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'
import type { RequestLimits } from './request-queue.ts'

/** Denied clients retry endlessly: each is logged at most once within this time. */
const REPEAT_MS = 10 * 60_000
/** Clients tracked for that. */
const MAX_REMEMBERED = 1_000

/** Dependencies shared by all parts of admission. */
export interface AdmissionPorts {
  readonly clock: Clock
  readonly log: Log
  readonly counters: AdmissionCounters
  /** Where proxies for the admission URL are looked up. Default: none are used. */
  readonly proxyEnv?: ProxyEnv | undefined
  /** Bounds on requests to each backend. Default: those of the request queue. */
  readonly requests?: RequestLimits | undefined
}

export class Admission implements AdmissionGate {
  readonly #policy: Policy
  readonly #ports: AdmissionPorts
  /** When a denial was last logged, by client and cause; oldest first. */
  readonly #loggedAtMs = new Map<string, number>()

  constructor(policy: Policy, ports: AdmissionPorts) {
    this.#policy = policy
    this.#ports = ports
  }

  async admit(request: AdmissionRequest): Promise<AdmissionVerdict> {
    const verdict = await this.#ask(request)
    const { counters, log } = this.#ports
    if (verdict.admit) {
      counters.admitted++
      log.debug('client admitted', { ...fieldsOf(request), key: request.clientKey.toString(), by: verdict.by })
    } else {
      counters.denied[verdict.cause]++
      this.#logDenial(request, verdict)
    }
    return verdict
  }

  async #ask(request: AdmissionRequest): Promise<Approval | Denial> {
    try {
      return await this.#policy.admit(request)
    } catch (error) {
      if (!(error instanceof SourceDownError)) throw error
      const cause = error.isOwn ? DenialReason.Overloaded : DenialReason.SourceDown
      return { admit: false, cause, reason: error.message, isUnsure: true }
    }
  }

  #logDenial(request: AdmissionRequest, { cause, reason }: Denial): void {
    const { clock, log } = this.#ports
    const fields = { ...fieldsOf(request), cause, reason }
    const whole = { ...fields, key: request.clientKey.toString() }
    const id = `${request.clientKey.toHex()} ${cause}`
    const nowMs = clock.now()
    const atMs = this.#loggedAtMs.get(id)
    if (atMs !== undefined && nowMs - atMs < REPEAT_MS) {
      log.debug('client denied again', whole)
      return
    }
    log.info('client denied', fields)
    log.debug('whole key of the client denied', whole)
    this.#loggedAtMs.delete(id)
    this.#loggedAtMs.set(id, nowMs)
    const [oldest] = this.#loggedAtMs.keys()
    if (this.#loggedAtMs.size > MAX_REMEMBERED && oldest !== undefined) this.#loggedAtMs.delete(oldest)
  }
}

/** By default the log has no whole key: it would tell who uses the relay. */
function fieldsOf({ clientKey, remote }: AdmissionRequest): { client: string; remote: string | undefined } {
  return { client: clientKey.shortString(), remote: remote?.address }
}

/**
 * A DNS cache that survives DNS failures: an old answer is better than none.
 *
 * Knows no resolver; see node-dns.ts for Node's.
 */

import { abortable } from '../../lib/abort.ts'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type TimeLimit, withTimeLimit } from '../../lib/time-limit.ts'

/** Resolves host names. */
export interface DnsCache {
  /** IPv4 and IPv6 addresses of `host`, in order of preference. */
  lookup(host: string, signal: AbortSignal): Promise<readonly string[]>
  /** Called when the addresses of `host` did not work, so that the next lookup asks again. */
  expire?(host: string): void
}

/** Asks a resolver; returns at least one address, or fails. */
export type HostLookup = (host: string) => Promise<readonly string[]>

export interface LastingDnsCacheOptions {
  readonly lookup: HostLookup
  readonly clock: Clock
  /** Milliseconds for which an answer is used without asking again. Default 10 minutes. */
  readonly ttlMs?: number | undefined
}

/** Milliseconds; relay addresses rarely change, and one that fails is looked up again. */
const DEFAULT_TTL_MS = 600_000
/** Milliseconds to wait for a new answer if there is an old one; short compared with the time per node (P-221). */
const PATIENCE_MS = 500
/** Time limit of a lookup in milliseconds. */
const LOOKUP_TIMEOUT_MS = 10_000
/** Maximum hosts cached; a client knows few. */
const MAX_HOSTS = 256

interface Answer {
  readonly addresses: readonly string[]
  freshUntilMs: number
}

/** Keeps the last good answer of each host until there is a newer one. */
export class LastingDnsCache implements DnsCache {
  readonly #lookup: HostLookup
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #answers = new Map<string, Answer>()
  /** At most one lookup per host is pending. */
  readonly #underWay = new Map<string, Promise<readonly string[]>>()

  constructor(options: LastingDnsCacheOptions) {
    this.#lookup = options.lookup
    this.#clock = options.clock
    this.#ttlMs = options.ttlMs ?? DEFAULT_TTL_MS
  }

  async lookup(host: string, signal: AbortSignal): Promise<readonly string[]> {
    const known = this.#answers.get(host)
    if (known !== undefined && this.#clock.now() < known.freshUntilMs) return known.addresses
    const asked = this.#ask(host)
    if (known === undefined) return abortable(asked, signal, `look up ${host}`)
    try {
      return await withTimeLimit(this.#limit(host, PATIENCE_MS, signal), () => asked)
    } catch (error) {
      if (signal.aborted) throw error
      // A late answer is still stored.
      return known.addresses
    }
  }

  expire(host: string): void {
    const answer = this.#answers.get(host)
    if (answer !== undefined) answer.freshUntilMs = Number.NEGATIVE_INFINITY
  }

  #ask(host: string): Promise<readonly string[]> {
    const underWay = this.#underWay.get(host)
    if (underWay !== undefined) return underWay
    const asked = this.#askAnew(host).finally(() => this.#underWay.delete(host))
    this.#underWay.set(host, asked)
    // All callers may have given up by then.
    asked.catch(() => {})
    return asked
  }

  async #askAnew(host: string): Promise<readonly string[]> {
    const addresses = await withTimeLimit(this.#limit(host, LOOKUP_TIMEOUT_MS), () => this.#lookup(host))
    if (addresses.length === 0) throw failed(host, 'no addresses')
    this.#remember(host, addresses)
    return addresses
  }

  #remember(host: string, addresses: readonly string[]): void {
    this.#answers.delete(host)
    this.#answers.set(host, { addresses, freshUntilMs: this.#clock.now() + this.#ttlMs })
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_HOSTS) return
      this.#answers.delete(oldest)
    }
  }

  #limit(host: string, timeoutMs: number, signal?: AbortSignal): TimeLimit<readonly string[]> {
    const tooLate = () => failed(host, `no answer in ${timeoutMs} ms`)
    return { clock: this.#clock, timeoutMs, action: `look up ${host}`, tooLate, signals: [signal] }
  }
}

function failed(host: string, reason: string): DerpError {
  return new DerpError('ERR_DERP_DNS_FAILED', `look up ${host}: ${reason}`)
}

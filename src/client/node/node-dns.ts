/** DNS through the system's resolver, so that `/etc/hosts` and the like apply. */

import type { IpFamily } from '../../lib/address-port.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { explainError } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { lookUpName } from '../../lib/names/node-name-lookup.ts'
import { type DnsCache, type HostLookup, LastingDnsCache } from '../dial/dns-cache.ts'

/** Addresses of `host`, of one family or of both. */
export async function lookupSystem(host: string, family?: IpFamily): Promise<readonly string[]> {
  try {
    const answers = await lookUpName(host, family)
    return answers.map(({ address }) => address)
  } catch (error) {
    throw new DerpError('ERR_DERP_DNS_FAILED', `look up ${host}: ${explainError(error)}`, { cause: error })
  }
}

/** Options of {@link createDnsCache}. */
export interface DnsCacheOptions {
  /** Performs the lookups. Default: the system's resolver. */
  readonly lookup?: HostLookup | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock | undefined
  /** Milliseconds for which an answer is used without asking again. Default 600,000. */
  readonly ttlMs?: number | undefined
}

/**
 * A cache for any number of clients, of at most 256 hosts. While DNS fails, old answers stay in use.
 *
 * @example
 * ```ts
 * const dnsCache = createDnsCache({ ttlMs: 60_000 })
 * const client = new Client(privateKey, url, { dnsCache })
 * ```
 */
export function createDnsCache(options: DnsCacheOptions = {}): DnsCache {
  return new LastingDnsCache({
    lookup: options.lookup ?? (host => lookupSystem(host)),
    clock: options.clock ?? systemClock,
    ttlMs: options.ttlMs,
  })
}

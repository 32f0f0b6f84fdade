/**
 * `/bootstrap-dns`: addresses of a few names, for clients without working DNS.
 *
 * Clause: P-164.
 */

import { clientAddress, type OriginOf, originReader } from '../../listen/client-address.ts'
import type { BootstrapDnsCounters } from '../../metrics/http-counters.ts'
import type { Page } from '../page.ts'
import { queryOf } from '../query.ts'
import { replyOf } from '../reply.ts'
import type { BootstrapName, KnownNames } from './bootstrap-names.ts'
import { BROWSER_HEADERS } from './browser-headers.ts'
import { isSelected } from './rollout.ts'

/** Distinct names counted; one more restarts the count. */
const MAX_QUERIED = 500
/** Longest domain name. */
const MAX_NAME_LENGTH = 255

/** Options of `/bootstrap-dns`. */
export interface BootstrapDnsOptions {
  /** Names returned to every client. */
  readonly published?: KnownNames | undefined
  /** Names returned only when asked for by name. */
  readonly unpublished?: KnownNames | undefined
  /** Origin of requests. Default: the peer address of the socket. */
  readonly originOf?: OriginOf
  /** Random numbers in [0, 1). */
  readonly random?: () => number
}

/** The page; counts in `counters`. The caller starts and stops the names. */
export function bootstrapDnsPage(options: BootstrapDnsOptions, counters: BootstrapDnsCounters): Page {
  const answers = new Answers(options, counters)
  const originOf = options.originOf ?? originReader()
  return request => {
    counters.requests++
    const body = answers.bodyFor(queryOf(request).get('q') ?? '', clientAddress(originOf(request)))
    // Clients query another relay each time.
    return replyOf(200, 'application/json', body, { ...BROWSER_HEADERS, Connection: 'close' })
  }
}

class Answers {
  readonly #options: BootstrapDnsOptions
  readonly #random: () => number
  readonly #counters: BootstrapDnsCounters
  readonly #queried = new Set<string>()
  /** The published names as text, and the map it was made from. */
  #text = ''
  #textOf: ReadonlyMap<string, BootstrapName> | undefined

  constructor(options: BootstrapDnsOptions, counters: BootstrapDnsCounters) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#counters = counters
  }

  /** The body for a query from `address`; `name` may be empty. */
  bodyFor(name: string, address: string | undefined): string {
    if (name === '') return this.#published()
    this.#note(name)
    const hidden = this.#options.unpublished?.known?.get(name)
    if (hidden !== undefined && hidden.addresses.length > 0) {
      this.#counters.unpublishedHits++
      if (isSelected(address, hidden.share, this.#random)) return formatAddresses([[name, hidden.addresses]])
      this.#counters.unpublishedPercentMisses++
    }
    const shown = this.#options.published?.known?.get(name)
    if (shown === undefined) this.#counters.unpublishedMisses++
    else if (shown.addresses.length > 0) this.#counters.publishedHits++
    else this.#counters.publishedMisses++
    return this.#published()
  }

  #published(): string {
    const known = this.#options.published?.known
    if (known !== undefined && known !== this.#textOf) this.#text = this.#format(known)
    this.#textOf = known
    return this.#text
  }

  #note(name: string): void {
    if (name.length <= MAX_NAME_LENGTH) this.#queried.add(name)
    if (this.#queried.size > MAX_QUERIED) this.#queried.clear()
    this.#counters.queriedDomains = this.#queried.size
  }

  /** Shuffled, so that clients spread over the addresses. `null` if no name resolved, as in the original. */
  #format(known: ReadonlyMap<string, BootstrapName>): string {
    if (known.size === 0) return 'null'
    const entries = [...known].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return formatAddresses(entries.map(([name, { addresses }]) => [name, shuffled(addresses, this.#random)]))
  }
}

function formatAddresses(entries: readonly (readonly [name: string, addresses: readonly string[]])[]): string {
  return JSON.stringify(Object.fromEntries(entries), null, '\t')
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const [a, b] = [result[last] as T, result[other] as T]
    result[last] = b
    result[other] = a
  }
  return result
}

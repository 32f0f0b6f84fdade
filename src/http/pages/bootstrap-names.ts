/**
 * Names that a relay resolves for clients without DNS, refreshed periodically.
 *
 * Clause: P-164.
 */

import { resolveTxt } from 'node:dns/promises'
import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import { lookUpName } from '../../lib/names/node-name-lookup.ts'

/** Milliseconds between refreshes. */
const REFRESH_MS = 10 * 60_000
/** Time limit of a refresh; names not resolved by then keep their old values. */
const REFRESH_TIMEOUT_MS = 60_000
/** Codes for a name or record that does not exist. */
const NOT_FOUND: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

/** DNS queries; both reject with a `node:dns` error code. */
export interface BootstrapResolver {
  /** Addresses of both families. */
  addresses(name: string): Promise<readonly string[]>
  /** TXT records. */
  texts(name: string): Promise<readonly string[]>
}

const systemResolver: BootstrapResolver = {
  addresses: async name => (await lookUpName(name)).map(({ address }) => address),
  texts: async name => (await resolveTxt(name)).map(pieces => pieces.join('')),
}

export interface BootstrapNamesOptions {
  readonly resolver?: BootstrapResolver
  readonly clock?: Clock
  readonly log?: Log
  /** Called after each refresh. */
  readonly onRefresh?: () => void
}

/** A resolved name. */
export interface BootstrapName {
  /** IPv4 and IPv6 addresses. */
  readonly addresses: readonly string[]
  /** Share of clients that get it if unpublished, from 0 to 1. */
  readonly share: number
}

/** Resolved names, as data that can be posted to other threads. */
export interface KnownNames {
  /** Names that resolved; a new map after each refresh, undefined before the first. */
  readonly known: ReadonlyMap<string, BootstrapName> | undefined
}

interface Entry {
  readonly name: string
  /** Name of the TXT record with the share. */
  readonly record: string | undefined
}

export class BootstrapNames implements KnownNames {
  readonly #entries: readonly Entry[]
  readonly #resolver: BootstrapResolver
  readonly #clock: Clock
  readonly #log: Log
  readonly #onRefresh: (() => void) | undefined
  #known: ReadonlyMap<string, BootstrapName> | undefined
  #timer: Timer | undefined
  #isStopped = false

  /**
   * Resolves nothing.
   *
   * @param text comma-separated names; `name/record` for a share read from that TXT record.
   * @throws DerpError for an empty name.
   */
  constructor(text: string, options: BootstrapNamesOptions = {}) {
    this.#entries = text.split(',').map(parseEntry)
    this.#resolver = options.resolver ?? systemResolver
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    this.#onRefresh = options.onRefresh
  }

  get known(): ReadonlyMap<string, BootstrapName> | undefined {
    return this.#known
  }

  /** Resolves all names now, and again every ten minutes. */
  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #run(): Promise<void> {
    await this.#refresh()
    if (this.#isStopped) return
    this.#timer = this.#clock.after(REFRESH_MS, () => void this.#run())
  }

  async #refresh(): Promise<void> {
    const timedOut = Promise.withResolvers<never>()
    timedOut.promise.catch(() => {})
    const timer = this.#clock.after(REFRESH_TIMEOUT_MS, () =>
      timedOut.reject(new Error(`no answer after ${REFRESH_TIMEOUT_MS} ms`)),
    )
    const resolved = await Promise.all(this.#entries.map(entry => this.#resolve(entry, timedOut.promise)))
    timer.cancel()
    this.#known = new Map(this.#entries.flatMap(({ name }, at) => (resolved[at] ? [[name, resolved[at]]] : [])))
    this.#onRefresh?.()
  }

  async #resolve({ name, record }: Entry, timedOut: Promise<never>): Promise<BootstrapName | undefined> {
    const before = this.#known?.get(name)
    const resolver = this.#resolver
    const [addresses, share] = await Promise.all([
      this.#query(name, Promise.race([resolver.addresses(name), timedOut]), before?.addresses, undefined),
      record === undefined
        ? 1
        : this.#query(record, Promise.race([resolver.texts(record).then(shareOf), timedOut]), before?.share, 0),
    ])
    return addresses && { addresses, share: share ?? 0 }
  }

  /** The answer; without one, `before`, or `nothing` if the name does not exist. */
  async #query<T>(name: string, query: Promise<T>, before: T | undefined, nothing: T | undefined) {
    try {
      return await query
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const isNotFound = NOT_FOUND.has(code)
      this.#log.warn('bootstrap name not resolved', {
        name,
        reason: message,
        kept: !isNotFound && before !== undefined,
      })
      return isNotFound ? nothing : before
    }
  }
}

function parseEntry(text: string): Entry {
  const [name = '', ...rest] = text.split('/').map(part => part.trim())
  if (name === '') {
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `read bootstrap name "${text}": it is empty`, { clause: 'P-164' })
  }
  return { name, record: rest.join('/') || undefined }
}

/** The last text that is a whole percentage; 0 without one. */
function shareOf(texts: readonly string[]): number {
  const percents = texts.filter(text => /^[+-]?\d+$/.test(text)).map(Number)
  return (percents.findLast(percent => percent >= 0 && percent <= 100) ?? 0) / 100
}

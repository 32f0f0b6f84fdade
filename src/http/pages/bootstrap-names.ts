/**
 * Names that a relay resolves for those who cannot, kept fresh.
 *
 * Clause: P-164.
 */

import { lookup, resolveTxt } from 'node:dns/promises'
import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type Log, silentLog } from '../../lib/log.ts'

/** Milliseconds from one refresh to the next. */
const REFRESH_MS = 10 * 60_000
/** Milliseconds that a refresh may take; names without an answer by then stay as they are. */
const REFRESH_TIMEOUT_MS = 60_000
/** Codes that say for sure that there is nothing. */
const NOTHING_THERE: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

/** Asks DNS. Both reject with the code of `node:dns` when there is no answer. */
export interface BootstrapResolver {
  /** Addresses of both families. */
  addresses(name: string): Promise<readonly string[]>
  /** Texts of the TXT records. */
  texts(name: string): Promise<readonly string[]>
}

const systemResolver: BootstrapResolver = {
  addresses: async name => (await lookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address),
  texts: async name => (await resolveTxt(name)).map(pieces => pieces.join('')),
}

export interface BootstrapNamesOptions {
  readonly resolver?: BootstrapResolver
  readonly clock?: Clock
  readonly log?: Log
  /** Called after each refresh. */
  readonly onRefresh?: () => void
}

/** What is known of a name. */
export interface BootstrapName {
  readonly addresses: readonly string[]
  /** From 0 to 1: to how many it is told, where it is not published. */
  readonly share: number
}

/** Names with what is known of them; plain, so that it can be sent to other threads. */
export interface KnownNames {
  /** Of each name that could be resolved, another map after each refresh; undefined before the first. */
  readonly known: ReadonlyMap<string, BootstrapName> | undefined
}

interface Entry {
  readonly name: string
  /** Name of the TXT record that tells the share. */
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
   * Asks nothing yet.
   *
   * @param text names with commas between them; `name/record` for a share told by a TXT record.
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
    const timeUp = Promise.withResolvers<never>()
    timeUp.promise.catch(() => {})
    const timer = this.#clock.after(REFRESH_TIMEOUT_MS, () =>
      timeUp.reject(new Error(`no answer after ${REFRESH_TIMEOUT_MS} ms`)),
    )
    const resolved = await Promise.all(this.#entries.map(entry => this.#resolve(entry, timeUp.promise)))
    timer.cancel()
    this.#known = new Map(this.#entries.flatMap(({ name }, at) => (resolved[at] ? [[name, resolved[at]]] : [])))
    this.#onRefresh?.()
  }

  async #resolve({ name, record }: Entry, timeUp: Promise<never>): Promise<BootstrapName | undefined> {
    const before = this.#known?.get(name)
    const resolver = this.#resolver
    const [addresses, share] = await Promise.all([
      this.#ask(name, Promise.race([resolver.addresses(name), timeUp]), before?.addresses, undefined),
      record === undefined
        ? 1
        : this.#ask(record, Promise.race([resolver.texts(record).then(shareOf), timeUp]), before?.share, 0),
    ])
    return addresses && { addresses, share: share ?? 0 }
  }

  /** The answer; when there is none, `before`, unless it is sure that there is nothing. */
  async #ask<T>(name: string, asking: Promise<T>, before: T | undefined, nothing: T | undefined) {
    try {
      return await asking
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const isGone = NOTHING_THERE.has(code)
      this.#log.warn('bootstrap name not resolved', { name, reason: message, kept: !isGone && before !== undefined })
      return isGone ? nothing : before
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

/** The last text that is a whole number of per cent; none is 0. */
function shareOf(texts: readonly string[]): number {
  const percents = texts.filter(text => /^[+-]?\d+$/.test(text)).map(Number)
  return (percents.findLast(percent => percent >= 0 && percent <= 100) ?? 0) / 100
}

/**
 * Bun runs `getaddrinfo` on the threads that also read files, and on all of them at once: while a name server is silent,
 * nothing is read. So c-ares is asked first, which needs no thread.
 *
 * It knows neither NSS plug-ins nor a name server that has changed since the start. Where it fails or is silent,
 * `getaddrinfo` is asked as well, for one name at a time, which leaves a thread for files: Bun has two or more.
 */

import type { IpFamily } from '../address-port.ts'
import type { Clock } from '../clock.ts'
import { sleep } from '../sleep.ts'
import { Slots } from '../slots.ts'
import type { NameAddress, NameLookup } from './name-address.ts'

/** Milliseconds for c-ares alone: a working name server answers within them. */
const ALONE_MS = 2_000

/** The part of Bun's API used here. */
interface BunPlatform {
  readonly Bun: {
    readonly dns: {
      lookup(host: string, options: { family?: IpFamily; backend: 'c-ares' }): Promise<readonly NameAddress[]>
    }
  }
}

/** Looks up without a thread first. Concurrent lookups of one name share the answer. */
export class ThreadSparingLookup {
  readonly #threadless: NameLookup
  readonly #system: NameLookup
  readonly #clock: Clock
  readonly #threads = new Slots(1)
  readonly #pending = new Map<string, Promise<readonly NameAddress[]>>()

  constructor(threadless: NameLookup, system: NameLookup, clock: Clock) {
    this.#threadless = threadless
    this.#system = system
    this.#clock = clock
  }

  readonly lookUp: NameLookup = (host, family) => {
    const key = `${family} ${host}`
    const pending = this.#pending.get(key)
    if (pending !== undefined) return pending
    const asked = this.#ask(host, family).finally(() => this.#pending.delete(key))
    this.#pending.set(key, asked)
    return asked
  }

  async #ask(host: string, family: IpFamily | undefined): Promise<readonly NameAddress[]> {
    const answered = new AbortController()
    const failed = new AbortController()
    const threadless = this.#threadless(host, family)
    threadless.then(
      () => answered.abort(),
      () => failed.abort(),
    )
    const system = async () => {
      await sleep(this.#clock, ALONE_MS, answered.signal, failed.signal)
      answered.signal.throwIfAborted()
      return this.#threads.run(`look up ${host}`, answered.signal, () => this.#system(host, family))
    }
    try {
      return await Promise.any([threadless, system()])
    } catch (error) {
      // The error of `getaddrinfo`, which was asked last.
      throw (error as AggregateError).errors[1]
    }
  }
}

const overCAres: NameLookup = (host, family) => {
  const { dns } = (globalThis as unknown as BunPlatform).Bun
  return dns.lookup(host, { backend: 'c-ares', ...(family !== undefined && { family }) })
}

/** @param system `getaddrinfo`. */
export function bunNameLookup(system: NameLookup, clock: Clock): NameLookup {
  return new ThreadSparingLookup(overCAres, system, clock).lookUp
}

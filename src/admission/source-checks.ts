/** Whether the admission backends respond, for readiness (P-171). */

import type { Clock, Timer } from '../lib/clock.ts'
import type { AdmitUrl } from './admit-url.ts'
import type { LocalDaemon } from './local-daemon.ts'

/** Milliseconds between daemon probes: without clients, nothing else would notice its recovery. */
export const PROBE_MS = 10_000
/** Milliseconds for which the URL counts as down: only a login triggers a request, so clients must be let back. */
export const DOWN_MS = 30_000

/** One backend, for readiness. */
export interface SourceCheck {
  readonly name: string
  readonly problem: () => string | undefined
  /** Clients are admitted without it. */
  readonly degradesOnly: boolean
}

/** What happens to clients while a backend is down. */
export interface SourceLoss {
  /** The URL fails open. */
  readonly urlFailsOpen: boolean
  /** Recently admitted clients are still admitted. */
  readonly remembers: boolean
}

export class SourceChecks {
  readonly list: readonly SourceCheck[]
  readonly #daemon: LocalDaemon | undefined
  readonly #url: AdmitUrl | undefined
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(
    sources: { readonly daemon: LocalDaemon | undefined; readonly url: AdmitUrl | undefined },
    { urlFailsOpen, remembers }: SourceLoss,
    clock: Clock,
  ) {
    const { daemon, url } = sources
    this.#daemon = daemon
    this.#url = url
    this.#clock = clock
    this.list = [
      ...(daemon === undefined
        ? []
        : [{ name: 'admission-daemon', problem: () => daemon.problem, degradesOnly: remembers }]),
      ...(url === undefined
        ? []
        : [
            {
              name: 'admission-url',
              problem: () => url.problemWithin(DOWN_MS),
              degradesOnly: remembers || urlFailsOpen,
            },
          ]),
    ]
  }

  /** Probes both now, and the daemon periodically. */
  start(): void {
    // Once only: later logins show whether it responds, and each probe is a request for a random key.
    void this.#url?.probe()
    this.#probeDaemon()
  }

  /** Probes each backend. Resolves to problems and their effect, for those that do not respond. */
  async probe(): Promise<readonly string[]> {
    const problems = await Promise.all([this.#daemon?.probe(), this.#url?.probe()])
    return problems.filter(problem => problem !== undefined)
  }

  #probeDaemon(): void {
    if (this.#daemon === undefined) return
    void this.#daemon.probe()
    this.#timer = this.#clock.after(PROBE_MS, () => this.#probeDaemon())
  }

  stop(): void {
    this.#timer?.cancel()
  }
}

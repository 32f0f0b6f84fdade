/** Whether the sources of admission answer, for readiness (P-171). */

import type { Clock, Timer } from '../lib/clock.ts'
import type { AdmitUrl } from './admit-url.ts'
import type { LocalDaemon } from './local-daemon.ts'

/** Milliseconds between two questions to the daemon: without clients nobody else would notice that it is back. */
export const PROBE_MS = 10_000
/** Milliseconds for which the URL counts as down: it can only be asked when a client comes, so clients must come again. */
export const DOWN_MS = 30_000

/** One source, as readiness sees it. */
export interface SourceCheck {
  readonly name: string
  readonly problem: () => string | undefined
  /** Clients are let in without it. */
  readonly degradesOnly: boolean
}

/** How clients fare while a source is down. */
export interface SourceLoss {
  /** The URL says yes when it is out of reach. */
  readonly urlFailsOpen: boolean
  /** Those that were let in before still are. */
  readonly remembers: boolean
}

export class SourceChecks {
  readonly list: readonly SourceCheck[]
  readonly #daemon: LocalDaemon | undefined
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(
    sources: { readonly daemon: LocalDaemon | undefined; readonly url: AdmitUrl | undefined },
    { urlFailsOpen, remembers }: SourceLoss,
    clock: Clock,
  ) {
    const { daemon, url } = sources
    this.#daemon = daemon
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

  /** Asks now, and again and again. */
  start(): void {
    if (this.#daemon === undefined) return
    void this.#daemon.probe()
    this.#timer = this.#clock.after(PROBE_MS, () => this.start())
  }

  stop(): void {
    this.#timer?.cancel()
  }
}

/** All probes of a program, by name. */

import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Probe, type ProbePlan } from './probe.ts'
import type { ProbeInfo } from './probe-info.ts'
import { initialDelayMs } from './spread.ts'

export interface ProberOptions {
  readonly clock: Clock
  readonly log: Log
  /** Whether first runs are spread over the interval of their probe. */
  readonly isSpread: boolean
  /** Whether each probe runs once only. */
  readonly isOnce: boolean
}

export class Prober {
  readonly #options: ProberOptions
  readonly #probes = new Map<string, Probe>()
  readonly #runs = new Map<string, Promise<void>>()

  constructor(options: ProberOptions) {
    this.#options = options
  }

  /** Adds a probe and starts it. @throws Error if the name is taken. */
  run(plan: ProbePlan): Probe {
    const { name, intervalMs } = plan
    if (this.#probes.has(name)) throw new Error(`add probe ${name}: there is one of that name`)
    const probe = new Probe(plan, this.#options)
    this.#probes.set(name, probe)
    const { isSpread, isOnce } = this.#options
    this.#runs.set(name, probe.start({ initialDelayMs: isSpread ? initialDelayMs(name, intervalMs) : 0, isOnce }))
    return probe
  }

  /** Stops a probe and forgets it. */
  async remove(name: string): Promise<void> {
    const probe = this.#probes.get(name)
    this.#probes.delete(name)
    this.#runs.delete(name)
    await probe?.stop()
  }

  probe(name: string): Probe | undefined {
    return this.#probes.get(name)
  }

  /** By name. */
  get probes(): readonly Probe[] {
    return [...this.#probes.values()].toSorted((a, b) => (a.plan.name < b.plan.name ? -1 : 1))
  }

  /** The state of all probes, by name. */
  infos(): readonly ProbeInfo[] {
    return this.probes.map(probe => probe.info)
  }

  /** Resolves when every probe has run once, also those that others have added meanwhile. Only where all run once. */
  async finished(): Promise<void> {
    for (let known = -1; known !== this.#runs.size; ) {
      known = this.#runs.size
      await Promise.all(this.#runs.values())
    }
  }

  /** Stops all probes. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#probes.keys(), name => this.remove(name)))
  }
}

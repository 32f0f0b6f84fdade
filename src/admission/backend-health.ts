/** Tracks whether a backend responds, for readiness; logs once when it stops and once when it is back. */

import { TallyLog } from '../lib/tally-log.ts'
import type { AdmissionSource } from '../metrics/admission-counters.ts'
import type { AdmissionPorts } from './admission.ts'
import { SourceDownError } from './policy.ts'

/** Describes the effect of a failure on clients; `isTransport` as in {@link SourceDownError}. */
export type EffectOf = (isTransport: boolean) => string

export class BackendHealth {
  readonly #source: AdmissionSource
  readonly #ports: AdmissionPorts
  readonly #effectOf: EffectOf
  readonly #shortages: TallyLog<string>
  #problem: string | undefined
  #failedAtMs = Number.NEGATIVE_INFINITY

  constructor(source: AdmissionSource, ports: AdmissionPorts, effectOf: EffectOf) {
    this.#source = source
    this.#ports = ports
    this.#effectOf = effectOf
    this.#shortages = new TallyLog(ports.clock, ({ refused }, reason) =>
      ports.log.warn('clients refused: this relay could not ask about them', { source, refused, reason }),
    )
  }

  /** Why the last request failed; undefined after a success, or before the first request. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The {@link problem}, unless the last request was longer ago than that many milliseconds. */
  problemWithin(ms: number): string | undefined {
    return this.#ports.clock.now() - this.#failedAtMs <= ms ? this.#problem : undefined
  }

  /** Tracks the outcome of `request`. Resolves to the reason and effect of a failure. */
  async probe(request: Promise<unknown>): Promise<string | undefined> {
    try {
      await this.over(request)
      return undefined
    } catch (error) {
      if (!(error instanceof SourceDownError)) throw error
      return [error.message, this.#effectOf(error.isTransport)].filter(text => text !== '').join('; ')
    }
  }

  /** Tracks the outcome of `request`. Only a {@link SourceDownError} counts as a failure. */
  async over<T>(request: Promise<T>): Promise<T> {
    const { log, counters } = this.#ports
    try {
      const answer = await request
      if (this.#problem !== undefined) log.info('admission backend is back', { source: this.#source })
      this.#problem = undefined
      return answer
    } catch (error) {
      if (!(error instanceof SourceDownError)) throw error
      if (error.isOwn) {
        this.#shortages.note('refused', error.message)
        throw error
      }
      counters.sourceFailures[this.#source]++
      if (this.#problem === undefined) {
        const effect = this.#effectOf(error.isTransport)
        log.warn('admission backend unreachable', { source: this.#source, effect, reason: error.message })
      }
      this.#problem = error.message
      this.#failedAtMs = this.#ports.clock.now()
      throw error
    }
  }
}

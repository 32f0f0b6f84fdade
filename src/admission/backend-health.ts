/** Whether a backend responds: logged once when it stops and once when it is back, and shown for readiness. */

import type { AdmissionSource } from '../metrics/admission-counters.ts'
import type { AdmissionPorts } from './admission.ts'
import { SourceDownError } from './policy.ts'

export class BackendHealth {
  readonly #source: AdmissionSource
  readonly #ports: AdmissionPorts
  #problem: string | undefined
  #failedAtMs = Number.NEGATIVE_INFINITY

  constructor(source: AdmissionSource, ports: AdmissionPorts) {
    this.#source = source
    this.#ports = ports
  }

  /** Why the last request failed; undefined after a success, or before the first request. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The {@link problem}, unless the last request was longer ago than that many milliseconds. */
  problemWithin(ms: number): string | undefined {
    return this.#ports.clock.now() - this.#failedAtMs <= ms ? this.#problem : undefined
  }

  /** Follows `asking`. Only a {@link SourceDownError} counts as a failure. */
  async over<T>(asking: Promise<T>): Promise<T> {
    const { log, counters } = this.#ports
    try {
      const answer = await asking
      if (this.#problem !== undefined) log.info('admission backend is back', { source: this.#source })
      this.#problem = undefined
      return answer
    } catch (error) {
      if (!(error instanceof SourceDownError)) throw error
      counters.sourceFailures[this.#source]++
      if (this.#problem === undefined) {
        log.warn('admission backend unreachable', { source: this.#source, reason: error.message })
      }
      this.#problem = error.message
      this.#failedAtMs = this.#ports.clock.now()
      throw error
    }
  }
}

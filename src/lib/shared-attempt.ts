/** Work shared by several waiting callers, aborted when none of them waits any more. */

import { abortable } from './abort.ts'
import { DerpError } from './derp-error.ts'

export class SharedAttempt<T> {
  readonly #controller = new AbortController()
  readonly #result: Promise<T>
  #waiting = 0

  /** @param work starts immediately; it must settle soon after its signal is aborted. */
  constructor(work: (stop: AbortSignal) => Promise<T>) {
    this.#result = work(this.#controller.signal)
    // Waiters see the failure; once all have given up, it is not an unhandled rejection.
    this.#result.catch(() => {})
  }

  /** The work is being aborted and its result must not be used. */
  get isAborted(): boolean {
    return this.#controller.signal.aborted
  }

  /** Waits for the result. When the last waiter gives up, the work is aborted. */
  async wait(action: string, signal?: AbortSignal): Promise<T> {
    this.#waiting++
    try {
      return await abortable(this.#result, signal, action)
    } finally {
      this.#waiting--
      if (this.#waiting === 0 && signal?.aborted) this.abort(unwanted(action))
    }
  }

  /** Aborts the work; how waiters are rejected is up to the work. */
  abort(reason: DerpError): void {
    this.#controller.abort(reason)
  }
}

function unwanted(action: string): DerpError {
  return new DerpError('ERR_DERP_ABORTED', `${action}: aborted by all callers`)
}

/** One piece of work that several callers wait for, and that ends when none of them waits any more. */

import { abortable } from './abort.ts'
import { DerpError } from './derp-error.ts'

export class SharedAttempt<T> {
  readonly #controller = new AbortController()
  readonly #result: Promise<T>
  #waiting = 0

  /** @param work starts at once; it must end, in whatever way, soon after its signal was aborted. */
  constructor(work: (stop: AbortSignal) => Promise<T>) {
    this.#result = work(this.#controller.signal)
    // Those who wait hear of a failure; when all have given up nobody has to.
    this.#result.catch(() => {})
  }

  /** The work is being ended, and its result is not to be used. */
  get isAborted(): boolean {
    return this.#controller.signal.aborted
  }

  /** Waits for the result; giving up ends the work unless somebody else waits. */
  async wait(action: string, signal?: AbortSignal): Promise<T> {
    this.#waiting++
    try {
      return await abortable(this.#result, signal, action)
    } finally {
      this.#waiting--
      if (this.#waiting === 0 && signal?.aborted) this.abort(unwanted(action))
    }
  }

  /** Ends the work; those who wait are rejected as the work sees fit. */
  abort(reason: DerpError): void {
    this.#controller.abort(reason)
  }
}

function unwanted(action: string): DerpError {
  return new DerpError('ERR_DERP_ABORTED', `${action}: aborted by all callers`)
}

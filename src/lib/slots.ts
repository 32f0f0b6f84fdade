/** Runs a bounded number of tasks at a time; others wait in order. */

import { abortedError, onAbort } from './abort.ts'

export class Slots {
  readonly #waiting = new Set<() => void>()
  #free: number

  /** @param count tasks that may run at a time. */
  constructor(count: number) {
    this.#free = count
  }

  /** Number of waiting tasks. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Runs `work` once a slot is free. Rejects like `work`, or if `signal` is aborted before it starts. */
  async run<T>(action: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const leave = await this.enter(action, signal)
    try {
      return await work()
    } finally {
      leave()
    }
  }

  /** Takes a slot once one is free; the result, called once, gives it back. Rejects if `signal` is aborted first. */
  enter(action: string, signal?: AbortSignal): Promise<() => void> {
    const leave = () => this.#leave()
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve(leave)
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        stopListening()
        resolve(leave)
      }
      this.#waiting.add(enter)
      const stopListening = onAbort(signal, aborted => {
        this.#waiting.delete(enter)
        reject(abortedError(action, aborted))
      })
    })
  }

  /** Passes the slot on to the task that has waited longest. */
  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

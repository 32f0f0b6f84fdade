/**
 * Opens long boxes of logins one per turn of the event loop (P-112): each blocks it for milliseconds, and anybody may
 * send one. Sources take turns, so that one does not keep the others waiting.
 */

import type { Clock } from '../../lib/clock.ts'
import { Fifo } from '../../lib/collections/fifo.ts'
import { sourcePrefix } from '../../lib/rate/source-prefix.ts'

/** Shorter boxes take less time than the rest of their login. */
export const LONG_LOGIN_BYTES: number = 4 << 10

export class LoginTurns {
  readonly #clock: Clock
  /** By source, in the order of their turns. */
  readonly #waiting = new Map<string, Fifo<() => void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves in a later turn, alone. */
  wait(address: string | undefined): Promise<void> {
    const source = address === undefined ? '' : sourcePrefix(address)
    return new Promise(resolve => {
      if (this.#waiting.size === 0) this.#clock.afterTurn(() => this.#next())
      const queue = this.#waiting.get(source) ?? new Fifo<() => void>()
      queue.push(resolve)
      this.#waiting.set(source, queue)
    })
  }

  #next(): void {
    for (const [source, queue] of this.#waiting) {
      this.#waiting.delete(source)
      queue.take()?.()
      if (queue.length > 0) this.#waiting.set(source, queue)
      break
    }
    if (this.#waiting.size > 0) this.#clock.afterTurn(() => this.#next())
  }
}

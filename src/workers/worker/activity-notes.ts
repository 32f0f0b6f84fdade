/** Notes of a worker that sessions have sent frames: one per session and turn, all of a turn in one message (P-065). */

import type { Clock } from '../../lib/clock.ts'

/** Tells the coordinator; resolves when all workers know. */
export type TellActivity = (ids: readonly number[]) => Promise<unknown>

export class ActivityNotes {
  readonly #clock: Clock
  readonly #tell: TellActivity
  /** In the order of the latest frames. */
  readonly #ids = new Set<number>()
  #told: PromiseWithResolvers<void> | undefined

  constructor(clock: Clock, tell: TellActivity) {
    this.#clock = clock
    this.#tell = tell
  }

  /** Resolves when all workers know that the session has sent a frame. */
  note(id: number): Promise<void> {
    this.#ids.delete(id)
    this.#ids.add(id)
    if (this.#told === undefined) {
      this.#told = Promise.withResolvers()
      this.#clock.afterTurn(() => void this.#tellAll())
    }
    return this.#told.promise
  }

  /** The session has ended: its pending note is dropped. */
  drop(id: number): void {
    this.#ids.delete(id)
  }

  async #tellAll(): Promise<void> {
    const ids = [...this.#ids]
    const told = this.#told
    this.#ids.clear()
    this.#told = undefined
    try {
      if (ids.length > 0) await this.#tell(ids)
      told?.resolve()
    } catch (error) {
      told?.reject(error)
    }
  }
}

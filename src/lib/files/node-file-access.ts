/**
 * Access to files that may never respond, such as those on a dead mount.
 *
 * Each such access holds one of the few threads of the runtime's pool, which files, DNS and cryptography share. So few
 * are made at once, those who wait give up in time, and none is made again while it is pending.
 */

import { abortable } from '../abort.ts'
import type { Clock } from '../clock.ts'
import { DerpError } from '../derp-error.ts'
import { formatDuration } from '../duration.ts'
import { Slots } from '../slots.ts'
import { withTimeLimit } from '../time-limit.ts'

/** Time limit for one access, in milliseconds. */
export const FILE_LIMIT_MS = 10_000
/** The thread pool has four threads by default. */
const READS = new Slots(2)
const WRITES = new Slots(1)

export class FileAccess<T> {
  readonly #action: string
  readonly #slots: Slots
  readonly #clock: Clock
  readonly #work: () => Promise<T>
  /** The pending access, which outlives callers that timed out, and whether it has left the queue. */
  #pending: Promise<T> | undefined
  #hasBegun = false

  /** @param path for messages. */
  constructor(kind: 'read' | 'write', path: string, clock: Clock, work: () => Promise<T>) {
    this.#action = `${kind} ${path}`
    this.#slots = kind === 'read' ? READS : WRITES
    this.#clock = clock
    this.#work = work
  }

  /** Settles like the work, which is that of an earlier call while that is pending. Rejects after {@link FILE_LIMIT_MS}. */
  run(): Promise<T> {
    const limit = {
      clock: this.#clock,
      timeoutMs: FILE_LIMIT_MS,
      action: this.#action,
      tooLate: () => this.#tooLate(),
    }
    return withTimeLimit(limit, signal => {
      this.#pending ??= this.#runInTurn().finally(() => {
        this.#pending = undefined
        this.#hasBegun = false
      })
      return abortable(this.#pending, signal, this.#action)
    })
  }

  #runInTurn(): Promise<T> {
    return this.#slots.run(this.#action, undefined, () => {
      this.#hasBegun = true
      return this.#work()
    })
  }

  #tooLate(): DerpError {
    const reason = this.#hasBegun ? 'it may be on a dead mount' : 'other files do not respond'
    const message = `no response after ${formatDuration(FILE_LIMIT_MS)}; ${reason}`
    return new DerpError('ERR_DERP_CONFIG_INVALID', message)
  }
}

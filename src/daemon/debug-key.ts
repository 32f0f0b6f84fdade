/** The key for the debug pages, in a file that may change (P-190). */

import { type Clock, systemClock, type Timer } from '../lib/clock.ts'
import { TextFile } from '../lib/node-text-file.ts'

const LOOK_MS = 2_000

export class DebugKey {
  readonly #file: TextFile | undefined
  readonly #clock: Clock
  #timer: Timer | undefined
  #isClosed = false
  #value: string | undefined

  /** @param path undefined for no key. */
  constructor(path: string | undefined, clock: Clock = systemClock) {
    this.#file = path === undefined ? undefined : new TextFile(path, clock)
    this.#clock = clock
  }

  /** The key; undefined if there is none or the file is unreadable, as in the original. */
  get value(): string | undefined {
    return this.#value
  }

  /** Reads the file and watches it from then on. Never rejects. */
  async start(): Promise<void> {
    if (this.#file === undefined) return
    try {
      this.#value = (await this.#file.read()).text.trim()
    } catch {
      this.#value = undefined
    }
    if (!this.#isClosed) this.#timer = this.#clock.after(LOOK_MS, () => void this.start())
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }
}

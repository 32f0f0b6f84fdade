/** A secret for the debug pages, from a file that is re-read when it changes (P-190). */

import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'
import { TextFile } from '../../lib/files/node-text-file.ts'

const POLL_MS = 2_000

export class SecretFile {
  readonly #file: TextFile | undefined
  readonly #clock: Clock
  #timer: Timer | undefined
  #isClosed = false
  #value: string | undefined

  /** @param path undefined for no secret. */
  constructor(path: string | undefined, clock: Clock = systemClock) {
    this.#file = path === undefined ? undefined : new TextFile(path, clock)
    this.#clock = clock
  }

  /** Undefined without a secret or while the file is unreadable, as in the original. */
  get value(): string | undefined {
    return this.#value
  }

  /** Reads the file, then polls it. Never rejects. */
  async start(): Promise<void> {
    if (this.#file === undefined) return
    try {
      this.#value = (await this.#file.read()).text.trim()
    } catch {
      this.#value = undefined
    }
    if (!this.#isClosed) this.#timer = this.#clock.after(POLL_MS, () => void this.start())
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }
}

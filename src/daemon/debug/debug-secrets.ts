/** The secrets that open the debug pages, or the status page alone, from anywhere. */

import { type Clock, systemClock } from '../../lib/clock.ts'
import type { DebugSettings } from '../settings.ts'
import { SecretFile } from './secret-file.ts'

export class DebugSecrets {
  readonly #key: SecretFile
  readonly #statusToken: SecretFile

  constructor({ keyPath, statusTokenPath }: DebugSettings, clock: Clock = systemClock) {
    this.#key = new SecretFile(keyPath, clock)
    this.#statusToken = new SecretFile(statusTokenPath, clock)
  }

  /** Opens all debug pages (P-190). */
  get key(): string | undefined {
    return this.#key.value
  }

  /** Opens the status page (P-175). */
  get statusToken(): string | undefined {
    return this.#statusToken.value
  }

  /** Reads the files and watches them from then on. Never rejects. */
  async start(): Promise<void> {
    await Promise.all([this.#key.start(), this.#statusToken.start()])
  }

  close(): void {
    this.#key.close()
    this.#statusToken.close()
  }
}

/** A file that may change while in use: reloaded on change, unless the new contents are invalid. */

import { readFileSync, statSync } from 'node:fs'
import type { Timer } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { AdmissionPorts } from './admission.ts'

/** Milliseconds between checks. Polled by name, so that replaced links and mounted files are noticed too. */
const LOOK_MS = 2_000

/** How to parse a file. */
export interface FileForm<T> {
  /** Name of the file in messages. */
  readonly name: string
  /** @throws Error whose message names the line. */
  readonly parse: (text: string) => T
}

export class WatchedFile<T> {
  readonly #path: string
  readonly #form: FileForm<T>
  readonly #ports: AdmissionPorts
  #value: T
  /** Identifies the state of the file before the last read. */
  #stamp: string
  /** A second change within one tick of the file system clock does not alter the stamp. */
  #mayHaveChanged = true
  /** The last text, or why it could not be read. */
  #text: string
  #timer: Timer | undefined
  /** Called after a new value has replaced `before`. */
  onChange: (before: T) => void = () => {}

  /** @throws DerpError naming file, line and reason. */
  constructor(path: string, form: FileForm<T>, ports: AdmissionPorts) {
    this.#path = path
    this.#form = form
    this.#ports = ports
    this.#stamp = stampOf(path)
    try {
      this.#text = readFileSync(path, 'utf8')
    } catch (error) {
      throw this.#refusal(error)
    }
    this.#value = this.#parse(this.#text)
    this.#arm()
  }

  get value(): T {
    return this.#value
  }

  /** Checks for changes. An invalid file is logged once and changes nothing. */
  reload(): void {
    const stamp = stampOf(this.#path)
    if (stamp === this.#stamp && !this.#mayHaveChanged) return
    this.#mayHaveChanged = stamp !== this.#stamp
    this.#stamp = stamp
    const { log, counters } = this.#ports
    try {
      if (!this.#takeChange()) return
      counters.filesReloaded++
      log.info('changed file loaded', { file: this.#path, name: this.#form.name })
    } catch (error) {
      counters.filesRejected++
      log.error('changed file rejected, still using the old one', { reason: (error as Error).message })
    }
  }

  /** Stops watching. */
  close(): void {
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer = this.#ports.clock.after(LOOK_MS, () => {
      this.#arm()
      this.reload()
    })
  }

  /** Returns whether there was a change. @throws DerpError if it is invalid, the first time. */
  #takeChange(): boolean {
    let text: string
    let failure: DerpError | undefined
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      failure = this.#refusal(error)
      text = failure.message
    }
    if (text === this.#text) return false
    this.#text = text
    if (failure !== undefined) throw failure
    const before = this.#value
    this.#value = this.#parse(text)
    this.onChange(before)
    return true
  }

  #parse(text: string): T {
    try {
      return this.#form.parse(text)
    } catch (error) {
      throw this.#refusal(error)
    }
  }

  #refusal(error: unknown): DerpError {
    const message = `read ${this.#form.name} ${this.#path}: ${(error as Error).message}`
    return new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause: error })
  }
}

function stampOf(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch (error) {
    return String(error)
  }
}

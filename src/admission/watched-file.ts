/** A file that may change while it is in use: read anew when it does, and kept as it was when the new one is bad. */

import { readFileSync, statSync } from 'node:fs'
import type { Timer } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { AdmissionPorts } from './admission.ts'

/** Milliseconds between two looks. By name and not by notice, so that replaced links and mounted files are seen too. */
const LOOK_MS = 2_000

/** How a file is read. */
export interface FileForm<T> {
  /** What messages call it. */
  readonly name: string
  /** @throws Error whose message names the line. */
  readonly parse: (text: string) => T
}

export class WatchedFile<T> {
  readonly #path: string
  readonly #form: FileForm<T>
  readonly #ports: AdmissionPorts
  #value: T
  /** What tells one state of the file from another, as it was before the last reading. */
  #stamp: string
  /** A second change in the same tick of the file system's clock leaves the stamp as it is. */
  #mayHaveChanged = true
  /** The last text, or why there was none. */
  #text: string
  #timer: Timer | undefined
  /** Called when another value has taken the place of `before`. */
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

  /** Looks whether the file has changed. A bad one is logged, once, and changes nothing. */
  reload(): void {
    const stamp = stampOf(this.#path)
    if (stamp === this.#stamp && !this.#mayHaveChanged) return
    this.#mayHaveChanged = stamp !== this.#stamp
    this.#stamp = stamp
    const { log, counters } = this.#ports
    try {
      if (!this.#takeChange()) return
      counters.filesReloaded++
      log.info('changed file taken', { file: this.#path, name: this.#form.name })
    } catch (error) {
      counters.filesRejected++
      log.error('changed file refused, the old one stays in force', { reason: (error as Error).message })
    }
  }

  /** Looks no more. */
  close(): void {
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer = this.#ports.clock.after(LOOK_MS, () => {
      this.#arm()
      this.reload()
    })
  }

  /** Reports whether there was one. @throws DerpError when it is bad, the first time. */
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

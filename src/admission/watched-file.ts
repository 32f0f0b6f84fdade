/** A list in a file, reloaded when it changes; an invalid version leaves the previous one in use. */

import { DerpError } from '../lib/derp-error.ts'
import { ContentWatch } from '../lib/files/content-watch.ts'
import { type FileText, TextFile } from '../lib/files/node-text-file.ts'
import type { AdmissionPorts } from './admission.ts'

/** Polled by path: change notifications miss retargeted links and mounted files. */
const POLL_MS = 2_000
/**
 * How long a list that lost entries must stay unchanged before it is used, in milliseconds: tools that write in place
 * truncate the file first. A file moved into place is complete.
 */
const SETTLE_MS = 5_000

/** How to parse a file. */
export interface FileForm<T> {
  /** Name of the file in messages. */
  readonly name: string
  /** @throws Error whose message names the line. */
  readonly parse: (text: string) => T
  /** Whether `next` lacks an entry of `before`. */
  readonly hasLost: (before: T, next: T) => boolean
}

export class WatchedFile<T> {
  readonly #file: TextFile
  readonly #form: FileForm<T>
  readonly #ports: AdmissionPorts
  readonly #watch: ContentWatch<FileText, T>
  #inode: bigint
  #value: T
  /** Called after the value changed from `before`. */
  onChange: (before: T) => void = () => {}

  private constructor(file: TextFile, form: FileForm<T>, ports: AdmissionPorts, first: FileText) {
    this.#file = file
    this.#form = form
    this.#ports = ports
    this.#inode = first.inode
    this.#value = this.#parse(first)
    const content = {
      read: () => readText(file, form),
      identityOf: ({ text }: FileText) => text,
      parse: (next: FileText) => this.#parse(next),
      isPartial: (next: T, { inode }: FileText) => inode === this.#inode && form.hasLost(this.#value, next),
      use: (next: T, { inode }: FileText) => this.#use(next, inode),
      onSame: () => {},
      onRejected: (error: Error) => this.#onRejected(error),
    }
    this.#watch = new ContentWatch(content, first, ports.clock, { pollMs: POLL_MS, settleMs: SETTLE_MS })
    this.#watch.checkIn(POLL_MS)
  }

  /** Reads the file and watches it from then on. Rejects with a DerpError naming file, line and reason. */
  static async open<T>(path: string, form: FileForm<T>, ports: AdmissionPorts): Promise<WatchedFile<T>> {
    const file = new TextFile(path, ports.clock)
    return new WatchedFile(file, form, ports, await readText(file, form))
  }

  get value(): T {
    return this.#value
  }

  /** Re-reads the file now, without waiting for it to settle. An invalid file is logged and changes nothing. */
  reload(): Promise<void> {
    return this.#watch.check(true)
  }

  /** Stops watching. */
  close(): void {
    this.#watch.close()
  }

  #parse({ text }: FileText): T {
    try {
      return this.#form.parse(text)
    } catch (error) {
      throw refusal(this.#form, this.#file.path, error)
    }
  }

  #use(next: T, inode: bigint): void {
    const before = this.#value
    this.#value = next
    this.#inode = inode
    this.onChange(before)
    const { log, counters } = this.#ports
    counters.filesReloaded++
    log.info('changed file loaded', { file: this.#file.path, name: this.#form.name })
  }

  #onRejected(error: Error): void {
    const { log, counters } = this.#ports
    counters.filesRejected++
    log.error('changed file rejected, still using the old one', { reason: error.message })
  }
}

async function readText(file: TextFile, form: Pick<FileForm<unknown>, 'name'>): Promise<FileText> {
  try {
    return await file.read()
  } catch (error) {
    throw refusal(form, file.path, error)
  }
}

function refusal({ name }: Pick<FileForm<unknown>, 'name'>, path: string, error: unknown): DerpError {
  const message = `read ${name} ${path}: ${(error as Error).message}`
  return new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause: error })
}

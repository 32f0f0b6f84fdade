/**
 * A text file of the operator, read without blocking anything else.
 *
 * Reading a pipe or a file on a dead mount may never return, and each such read holds one of the few threads of the
 * runtime's pool, which file access, DNS and cryptography share. So pipes are rejected and few files are read at once.
 */

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { abortable } from './abort.ts'
import type { Clock } from './clock.ts'
import { DerpError } from './derp-error.ts'
import { formatDuration } from './duration.ts'
import { Slots } from './slots.ts'
import { withTimeLimit } from './time-limit.ts'

/** Time limit for one read, in milliseconds. */
export const READ_LIMIT_MS = 10_000
/** Some devices never reach end of file. */
const MAX_BYTES = 256 << 20
const CHUNK_BYTES = 1 << 16
/** The thread pool has four threads by default. */
const slots = new Slots(2)

export interface FileText {
  readonly text: string
  /** Changes when the file is replaced rather than written in place. */
  readonly inode: bigint
}

/** Opens a file for reading. */
export type OpenFile = (path: string) => Promise<FileHandle>

// Non-blocking, since opening a pipe otherwise waits for a writer.
const openToRead: OpenFile = path => open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))

export class TextFile {
  readonly path: string
  readonly #clock: Clock
  readonly #open: OpenFile
  /** The pending read, which outlives callers that timed out, and whether it has left the queue. */
  #reading: Promise<FileText> | undefined
  #hasBegun = false
  /** The last content, and the attributes of the file at that time. */
  #last: { readonly stamp: string; readonly content: FileText } | undefined
  /** A second change within one tick of the file system's clock does not change the stamp. */
  #mayHaveChanged = true

  constructor(path: string, clock: Clock, openFile: OpenFile = openToRead) {
    this.path = path
    this.#clock = clock
    this.#open = openFile
  }

  /**
   * The content of the file; the same object as long as it does not change.
   *
   * Rejects if the file cannot be read, is a pipe or directory, or does not respond within {@link READ_LIMIT_MS}.
   */
  read(): Promise<FileText> {
    const limit = {
      clock: this.#clock,
      timeoutMs: READ_LIMIT_MS,
      action: `read ${this.path}`,
      tooLate: () => this.#tooLate(),
    }
    return withTimeLimit(limit, signal => {
      this.#reading ??= this.#readInTurn().finally(() => {
        this.#reading = undefined
        this.#hasBegun = false
      })
      return abortable(this.#reading, signal, limit.action)
    })
  }

  #readInTurn(): Promise<FileText> {
    return slots.run(`read ${this.path}`, undefined, async () => {
      this.#hasBegun = true
      const file = await this.#open(this.path)
      try {
        return await this.#readOpen(file)
      } finally {
        await file.close()
      }
    })
  }

  #tooLate(): DerpError {
    const reason = this.#hasBegun ? 'it may be on a dead mount' : 'other files do not respond'
    const message = `no response after ${formatDuration(READ_LIMIT_MS)}; ${reason}`
    return new DerpError('ERR_DERP_CONFIG_INVALID', message)
  }

  async #readOpen(file: FileHandle): Promise<FileText> {
    const stat = await file.stat({ bigint: true })
    if (!stat.isFile() && !stat.isCharacterDevice()) throw new Error('not a regular file')
    const stamp = `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
    const isSame = stamp === this.#last?.stamp
    if (isSame && this.#last !== undefined && !this.#mayHaveChanged) return this.#last.content
    this.#mayHaveChanged = !isSame
    const text = await readToEnd(file)
    const before = this.#last?.content
    const content = before?.text === text && before.inode === stat.ino ? before : { text, inode: stat.ino }
    this.#last = { stamp, content }
    return content
  }
}

async function readToEnd(file: FileHandle): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES })) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BYTES) throw new Error(`longer than ${MAX_BYTES >> 20} MiB`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A text file of the operator, read without blocking anything else. Pipes, which may never end, are rejected. */

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import { FileAccess } from './node-file-access.ts'

/** Some devices never reach end of file. */
const MAX_BYTES = 256 << 20
const CHUNK_BYTES = 1 << 16

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
  readonly #access: FileAccess<FileText>
  readonly #open: OpenFile
  /** The last content, and the attributes of the file at that time. */
  #last: { readonly stamp: string; readonly content: FileText } | undefined
  /** A second change within one tick of the file system's clock does not change the stamp. */
  #mayHaveChanged = true

  constructor(path: string, clock: Clock, openFile: OpenFile = openToRead) {
    this.path = path
    this.#access = new FileAccess('read', path, clock, () => this.#readNow())
    this.#open = openFile
  }

  /**
   * The content of the file; the same object as long as it does not change.
   *
   * Rejects if the file cannot be read, is a pipe or directory, or does not respond in time.
   */
  read(): Promise<FileText> {
    return this.#access.run()
  }

  async #readNow(): Promise<FileText> {
    const file = await this.#open(this.path)
    try {
      return await this.#readOpen(file)
    } finally {
      await file.close()
    }
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

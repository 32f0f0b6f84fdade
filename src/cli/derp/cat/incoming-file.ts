/** A file that appears under its name only when it is complete. */

import { existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { unusable } from '../relay/relay-address.ts'
import type { Sink } from './receiver.ts'

export class IncomingFile implements Sink {
  readonly #path: string
  readonly #part: string
  readonly #handle: FileHandle

  private constructor(path: string, part: string, handle: FileHandle) {
    this.#path = path
    this.#part = part
    this.#handle = handle
  }

  /** @throws DerpError if the file exists. */
  static assertAbsent(path: string): void {
    if (existsSync(path)) throw unusable(`use --file ${path}: it exists`)
  }

  /** @throws DerpError if it cannot be written. */
  static async create(path: string): Promise<IncomingFile> {
    const part = `${path}.part`
    try {
      return new IncomingFile(path, part, await open(part, 'w'))
    } catch (error) {
      throw unusable(`use --file ${path}: ${(error as Error).message}`)
    }
  }

  async write(data: Uint8Array): Promise<void> {
    await this.#handle.writeFile(data)
  }

  async keep(): Promise<void> {
    await this.#handle.sync()
    await rename(this.#part, this.#path)
  }

  /** Removes it unless it was kept. */
  async close(): Promise<void> {
    await this.#handle.close()
    await rm(this.#part, { force: true })
  }
}

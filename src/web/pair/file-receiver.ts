/** Puts a file together from its parts, in order; parts beyond a gap are sent again by its sender. Pure. */

/** Bytes of a file that a tab holds in memory. */
export const MAX_FILE_BYTES: number = 256 << 20

export class FileReceiver {
  readonly name: string
  readonly file: Uint8Array<ArrayBuffer>
  #bytes = 0

  /** @throws RangeError for a file that is too large for a tab. */
  constructor(name: string, size: number) {
    if (!Number.isInteger(size) || size < 0 || size > MAX_FILE_BYTES) {
      throw new RangeError(`receive a file of ${size} bytes: at most ${MAX_FILE_BYTES}`)
    }
    this.name = name
    this.file = new Uint8Array(size)
  }

  /** Bytes received without a gap. */
  get bytes(): number {
    return this.#bytes
  }

  get isComplete(): boolean {
    return this.#bytes === this.file.length
  }

  add(at: number, data: Uint8Array): void {
    if (at !== this.#bytes || at + data.length > this.file.length) return
    this.file.set(data, at)
    this.#bytes += data.length
  }
}

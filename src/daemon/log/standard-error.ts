/** Standard error for logs: writes wait for their reader without blocking the event loop, and no error is fatal. */

import { constants, fstatSync, openSync, write } from 'node:fs'
import type { Clock } from '../../lib/clock.ts'
import { sleep } from '../../lib/sleep.ts'
import type { LineSink } from './line-buffer.ts'

const STANDARD_ERROR = 2
/** Milliseconds until a full pipe or terminal is tried again. */
const FULL_RETRY_MS = 50
/** Milliseconds until a failed write is tried again: full disks get space again, closed terminals stay closed. */
const FAILURE_RETRY_MS = 1_000

/** Writes to a descriptor; resolves to the number of bytes taken. */
export type WriteTo = (descriptor: number, bytes: Uint8Array) => Promise<number>

const writeNow: WriteTo = (descriptor, bytes) =>
  new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, taken) => (error === null ? resolve(taken) : reject(error)))
  })

export class StandardError implements LineSink {
  readonly #descriptor: number
  readonly #clock: Clock
  readonly #write: WriteTo

  constructor(clock: Clock, descriptor: number = openStandardError(), writeTo: WriteTo = writeNow) {
    this.#descriptor = descriptor
    this.#clock = clock
    this.#write = writeTo
  }

  async write(lines: string): Promise<void> {
    let bytes: Uint8Array = Buffer.from(lines)
    while (bytes.length > 0) bytes = bytes.subarray(await this.#writeSome(bytes))
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
    try {
      return await this.#write(this.#descriptor, bytes)
    } catch (error) {
      await sleep(this.#clock, (error as NodeJS.ErrnoException).code === 'EAGAIN' ? FULL_RETRY_MS : FAILURE_RETRY_MS)
      return 0
    }
  }
}

/**
 * A descriptor of standard error that is written without blocking, where the system can give one.
 *
 * A blocked write would hold one of the few threads for files, names and cryptography, and the end of the process. The
 * pipe or terminal is opened anew, as others that share the descriptor expect theirs to block.
 */
function openStandardError(): number {
  try {
    const stat = fstatSync(STANDARD_ERROR)
    // Files never block for long, and another descriptor would not share the position.
    if (!stat.isFIFO() && !stat.isCharacterDevice()) return STANDARD_ERROR
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
    return openSync(`/proc/self/fd/${STANDARD_ERROR}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
  } catch {
    return STANDARD_ERROR
  }
}

/**
 * The sending half of one connection.
 *
 * Frames of one turn, or of the time while a write is pending, leave together in the next write; each caller's promise
 * resolves when the transport has taken its bytes, which is the back-pressure.
 */

import { DerpError } from '../lib/derp-error.ts'
import type { Conn } from '../transport/conn.ts'

interface Batch {
  readonly frames: Uint8Array[]
  readonly written: PromiseWithResolvers<void>
}

export class FrameSender {
  /** Called when a write fails; the owner then calls {@link fail}. */
  onFailure: (error: DerpError) => void
  readonly #conn: Conn
  #next: Batch | undefined
  #writing: Batch | undefined
  #error: DerpError | undefined

  constructor(conn: Conn, onFailure: (error: DerpError) => void) {
    this.#conn = conn
    this.onFailure = onFailure
  }

  /** Sends a frame, which must not change afterwards; resolves when the transport has taken its bytes. */
  send(frame: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#next === undefined) {
      this.#next = newBatch()
      if (this.#writing === undefined) queueMicrotask(() => this.#flush())
    }
    this.#next.frames.push(frame)
    return this.#next.written.promise
  }

  /** Rejects frames not yet sent, and all later ones. */
  fail(error: DerpError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#writing?.written.reject(error)
    this.#next?.written.reject(error)
    this.#writing = undefined
    this.#next = undefined
  }

  #flush(): void {
    const batch = this.#next
    if (batch === undefined) return
    this.#next = undefined
    this.#writing = batch
    this.#conn.write(batch.frames, this.#onWritten)
  }

  readonly #onWritten = (cause?: Error): void => {
    if (this.#error !== undefined) return
    if (cause !== undefined) {
      this.onFailure(new DerpError('ERR_DERP_WRITE_FAILED', `write to relay: ${cause.message}`, { cause }))
      return
    }
    this.#writing?.written.resolve()
    this.#writing = undefined
    this.#flush()
  }
}

function newBatch(): Batch {
  const written = Promise.withResolvers<void>()
  // Callers see the rejection through their own promises; a batch may have no caller that does.
  written.promise.catch(() => {})
  return { frames: [], written }
}

/** Shows how far a transfer is: redrawn in place on a terminal, else only its end. */

import type { Clock } from '../../../lib/clock.ts'
import { formatByteRate, formatBytes, formatSeconds } from '../../amounts.ts'

/** Milliseconds between two drawings. */
const REDRAW_MS = 200

export interface ProgressOptions {
  readonly verb: 'sent' | 'received'
  readonly totalBytes: number
  readonly clock: Clock
  readonly isTerminal: boolean
  readonly write: (text: string) => void
}

export class TransferProgress {
  readonly #options: ProgressOptions
  readonly #startMs: number
  #drawnMs = Number.NEGATIVE_INFINITY

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#startMs = options.clock.now()
  }

  /** @param bytes so far. */
  at(bytes: number): void {
    const { clock, isTerminal, write, verb, totalBytes } = this.#options
    const nowMs = clock.now()
    if (!isTerminal || nowMs - this.#drawnMs < REDRAW_MS) return
    this.#drawnMs = nowMs
    const percent = totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100)
    const rate = formatByteRate(bytes, nowMs - this.#startMs)
    write(`\r\x1b[2K${verb} ${formatBytes(bytes)} of ${formatBytes(totalBytes)} (${percent} %), ${rate}`)
  }

  /** @param check how the hash was compared. */
  done(check: string): void {
    const { clock, verb, totalBytes } = this.#options
    const ms = clock.now() - this.#startMs
    this.clear()
    const { write } = this.#options
    write(`${verb} ${formatBytes(totalBytes)} in ${formatSeconds(ms)}, ${formatByteRate(totalBytes, ms)}; ${check}\n`)
  }

  /** Makes room for another message. */
  clear(): void {
    if (this.#options.isTerminal && Number.isFinite(this.#drawnMs)) this.#options.write('\r\x1b[2K')
  }
}

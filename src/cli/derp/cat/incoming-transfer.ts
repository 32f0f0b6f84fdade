/** One file on its way in: counts and hashes what arrives, and judges it at the end. */

import { createHash } from 'node:crypto'
import type { NodePublicKey } from '../../../keys/public-key.ts'
import type { TransferProgress } from './transfer-progress.ts'

export class IncomingTransfer {
  readonly source: NodePublicKey
  readonly progress: TransferProgress
  readonly #totalBytes: number
  readonly #hash = createHash('sha256')
  #bytes = 0

  constructor(source: NodePublicKey, totalBytes: number, progress: TransferProgress) {
    this.source = source
    this.#totalBytes = totalBytes
    this.progress = progress
  }

  /** Whether the next packet is data, whatever it looks like. */
  get wantsData(): boolean {
    return this.#bytes < this.#totalBytes
  }

  get text(): string {
    return `${this.#bytes} of ${this.#totalBytes} bytes`
  }

  take(data: Uint8Array): void {
    this.#bytes += data.length
    this.#hash.update(data)
    this.progress.at(this.#bytes)
  }

  /** What is wrong with the data; empty if nothing is. @param sha256 of the sender. */
  judge(sha256: string): { readonly problem: string; readonly sha256: string } {
    const own = this.#hash.digest('hex')
    if (this.#bytes !== this.#totalBytes) return { problem: `${this.text} arrived`, sha256: own }
    return { problem: own === sha256 ? '' : `SHA-256 differs: ${sha256} sent, ${own} received`, sha256: own }
  }
}

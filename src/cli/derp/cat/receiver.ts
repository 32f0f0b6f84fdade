/** Receives data and files from other `derp cat`s, one file at a time. */

import type { Client } from '../../../client/client.ts'
import type { NodePublicKey } from '../../../keys/public-key.ts'
import { systemClock } from '../../../lib/clock.ts'
import type { CommandIo } from '../../command-io.ts'
import { EXIT_FAILED, EXIT_OK } from '../../exit.ts'
import { IncomingTransfer } from './incoming-transfer.ts'
import { ACKNOWLEDGEMENT, decodeTransfer, encodeTransfer } from './transfer-messages.ts'
import { TransferProgress } from './transfer-progress.ts'

/** Where data goes. */
export interface Sink {
  write(data: Uint8Array): Promise<void>
  /** Keeps what was written. */
  keep(): Promise<void>
}

export interface ReceiverOptions {
  readonly client: Pick<Client, 'send' | 'recv'>
  readonly io: Pick<CommandIo, 'err' | 'columns'>
  readonly sink: Sink
  /** Ends after one file, and takes nothing else. */
  readonly isForFile: boolean
}

/** Resolves to the exit code after the file; without one, runs until `recv` rejects. */
export class Receiver {
  readonly #options: ReceiverOptions
  #transfer: IncomingTransfer | undefined

  constructor(options: ReceiverOptions) {
    this.#options = options
  }

  async run(): Promise<number> {
    const { client } = this.#options
    for (;;) {
      const message = await client.recv()
      const code =
        message.type === 'receivedPacket' && message.data.length > 0
          ? await this.#onPacket(message.source, message.data)
          : message.type === 'peerGone' && this.#transfer?.source.equals(message.peer)
            ? this.#failed(`the sender is gone after ${this.#transfer.text}`)
            : undefined
      if (code !== undefined && this.#options.isForFile) return code
    }
  }

  /** The exit code once a transfer has ended. */
  async #onPacket(source: NodePublicKey, data: Uint8Array): Promise<number | undefined> {
    const { sink, isForFile } = this.#options
    const transfer = this.#transfer
    const isSender = transfer?.source.equals(source) === true
    if (isSender && transfer.wantsData) {
      await sink.write(data)
      transfer.take(data)
      return this.#acknowledge(source)
    }
    const message = decodeTransfer(data)
    if (isSender && message?.kind === 'end') return this.#onEnd(transfer, message.sha256)
    if (message?.kind === 'offer') {
      if (transfer !== undefined) return this.#refuse(source, 'the receiver is busy with another file')
      this.#transfer = new IncomingTransfer(source, message.bytes, this.#progress(message.bytes))
      return this.#acknowledge(source)
    }
    if (isForFile) return this.#refuse(source, 'the receiver waits for a file: use --file here as well')
    await sink.write(data)
    return this.#acknowledge(source)
  }

  async #onEnd(transfer: IncomingTransfer, sent: string): Promise<number> {
    const { problem, sha256 } = transfer.judge(sent)
    if (problem === '') {
      await this.#options.sink.keep()
      transfer.progress.done(`the same SHA-256 ${sha256} as at the sender`)
      this.#transfer = undefined
    }
    await this.#answer(transfer.source, encodeTransfer({ kind: 'verdict', problem }))
    return problem === '' ? EXIT_OK : this.#failed(problem)
  }

  #failed(reason: string): number {
    this.#transfer?.progress.clear()
    this.#transfer = undefined
    this.#options.io.err(`derp: receive file: ${reason}\n`)
    return EXIT_FAILED
  }

  #progress(totalBytes: number): TransferProgress {
    const { columns, err: write } = this.#options.io
    return new TransferProgress({
      verb: 'received',
      totalBytes,
      clock: systemClock,
      isTerminal: columns !== undefined,
      write,
    })
  }

  async #refuse(source: NodePublicKey, problem: string): Promise<undefined> {
    await this.#answer(source, encodeTransfer({ kind: 'verdict', problem }))
  }

  async #acknowledge(source: NodePublicKey): Promise<undefined> {
    await this.#answer(source, ACKNOWLEDGEMENT)
  }

  async #answer(to: NodePublicKey, packet: Uint8Array): Promise<void> {
    await this.#options.client.send(to, packet)
  }
}

/** A TCP proxy that records TLS records, and can hold back data from the relay. */

import { connect, type Socket } from 'node:net'
import { type ListeningServer, startTcpServer } from './socket-server.ts'

/** Type of encrypted records (RFC 8446, section 5.1). */
const APPLICATION_DATA = 23
const RECORD_HEADER_LENGTH = 5

export interface RecorderOptions {
  /** Loopback port of the relay. */
  readonly port: number
  /**
   * Forwards data from the relay up to the end of its handshake, and holds the rest until {@link TlsRecorder.release}.
   */
  readonly holdAfterHandshake?: boolean
}

export class TlsRecorder implements AsyncDisposable {
  /** Lengths of clients' encrypted records; with TLS 1.3 the first one ends the handshake. */
  readonly clientRecords: number[] = []
  /** Those of the relay. */
  readonly relayRecords: number[] = []
  /** Bytes held back. */
  heldBytes = 0
  readonly #options: RecorderOptions
  #server: ListeningServer | undefined
  #release = (): void => {}

  private constructor(options: RecorderOptions) {
    this.#options = options
  }

  static async start(options: RecorderOptions): Promise<TlsRecorder> {
    const recorder = new TlsRecorder(options)
    recorder.#server = await startTcpServer(socket => recorder.#forward(socket))
    return recorder
  }

  /** Port to dial instead of the relay's. */
  get port(): number {
    return this.#server?.port ?? 0
  }

  /** Forwards held and future data. */
  release(): void {
    this.#release()
  }

  /** Destroys all connections. */
  breakAll(): void {
    for (const socket of this.#server?.sockets ?? []) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
  }

  #forward(client: Socket): void {
    const relay = connect(this.#options.port, '127.0.0.1').setNoDelay(true)
    client.setNoDelay(true)
    const records = new RecordReader(length => this.clientRecords.push(length))
    const answers = new RecordReader(length => this.relayRecords.push(length))
    let isHolding = false
    let mayHold = this.#options.holdAfterHandshake ?? false
    const held: Buffer[] = []
    this.#release = () => {
      isHolding = mayHold = false
      for (const chunk of held.splice(0)) client.write(chunk)
    }
    client.on('data', (chunk: Buffer) => {
      records.push(chunk)
      // The client's first encrypted record means that the relay's handshake is complete.
      if (mayHold && records.count > 0) isHolding = true
      relay.write(chunk)
    })
    relay.on('data', (chunk: Buffer) => {
      answers.push(chunk)
      if (!isHolding) {
        client.write(chunk)
        return
      }
      held.push(chunk)
      this.heldBytes += chunk.length
    })
    client.on('close', () => relay.destroy())
    relay.on('close', () => client.destroy())
    relay.on('error', () => {})
  }
}

/** Finds the encrypted records in a stream. */
class RecordReader {
  count = 0
  readonly #onRecord: (length: number) => void
  #rest: Buffer = Buffer.alloc(0)

  constructor(onRecord: (length: number) => void) {
    this.#onRecord = onRecord
  }

  push(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk])
    while (bytes.length >= RECORD_HEADER_LENGTH) {
      const end = RECORD_HEADER_LENGTH + bytes.readUInt16BE(3)
      if (bytes.length < end) break
      if (bytes[0] === APPLICATION_DATA) {
        this.count++
        this.#onRecord(end)
      }
      bytes = bytes.subarray(end)
    }
    this.#rest = bytes
  }
}

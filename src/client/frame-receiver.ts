/**
 * The receiving half of one connection: turns bytes into queued messages, no faster than they are taken.
 *
 * Clauses: P-002 and P-004 what is read and skipped, P-094 silence.
 */

import { copyBytes } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import { FRAME_HEADER_LENGTH } from '../protocol/constants.ts'
import { decodeServerToClient } from '../protocol/decode.ts'
import type { FrameDecoder } from '../protocol/frame-decoder.ts'
import { frameTypeName } from '../protocol/frame-type.ts'
import { openServerInfo } from '../protocol/login.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'
import type { Conn } from '../transport/conn.ts'
import { QuietTimer } from './quiet-timer.ts'
import { ReceiveQueue } from './receive-queue.ts'

export interface FrameReceiverPorts {
  readonly conn: Conn
  /** May already contain bytes. */
  readonly decoder: FrameDecoder
  /** Opens ServerInfo. */
  readonly sharedKey: Uint8Array
  readonly clock: Clock
  readonly log: Log
  readonly readTimeoutMs: number
  readonly receiveQueueBytes: number
  /** Called for each message when it is read, before it is taken. */
  onMessage(message: ReceivedMessage): void
  /** The peer violates the protocol or is silent: the owner calls {@link FrameReceiver.abandon}. */
  onFailure(error: DerpError): void
}

export class FrameReceiver {
  readonly #ports: FrameReceiverPorts
  readonly #queue: ReceiveQueue<ReceivedMessage>
  readonly #silence: QuietTimer
  /** What the decoder still holds must not be read. */
  #isAbandoned = false
  #isPaused = false
  /** Why no more bytes will arrive. */
  #endedBy: DerpError | undefined

  constructor(ports: FrameReceiverPorts) {
    const { clock, readTimeoutMs } = ports
    this.#ports = ports
    this.#queue = new ReceiveQueue(ports.receiveQueueBytes)
    this.#silence = new QuietTimer(clock, readTimeoutMs, () => ports.onFailure(silent(readTimeoutMs)))
    this.#silence.start()
  }

  /** The next message; after the connection has ended those received before, then the error. */
  take(signal?: AbortSignal): Promise<ReceivedMessage> {
    const message = this.#queue.take(signal)
    if (this.#isPaused && this.#queue.hasRoom) this.#readOn()
    return message
  }

  push(chunk: Uint8Array): void {
    if (this.#isAbandoned) return
    this.#ports.decoder.push(chunk)
    this.read()
  }

  /** Reads until the queue is full or no whole frame is left. */
  read(): void {
    if (this.#isPaused || this.#isAbandoned) return
    const { decoder } = this.#ports
    let seen = false
    try {
      while (!this.#queue.isFull && decoder.next()) {
        seen = true
        if (!decoder.skipped) this.#onFrame()
      }
    } catch (error) {
      if (!(error instanceof DerpError)) throw error
      this.#ports.onFailure(error)
      return
    }
    if (seen) this.#silence.touch()
    if (this.#queue.isFull) this.#pause()
    else if (this.#endedBy !== undefined) this.#queue.fail(this.#endedBy)
  }

  /** The transport has ended; data received before is still read. */
  drain(error: DerpError): void {
    this.#endedBy ??= error
    this.#silence.cancel()
    this.read()
  }

  /** Discards everything except messages already queued. */
  abandon(error: DerpError): void {
    this.#isAbandoned = true
    this.#silence.cancel()
    this.#queue.fail(error)
  }

  /** Discards queued messages. */
  clear(): void {
    this.#queue.clear()
  }

  #onFrame(): void {
    const { decoder, log } = this.#ports
    const { type, buffer, start, length } = decoder
    const bodyAt = start + FRAME_HEADER_LENGTH
    const frame = decodeServerToClient(type, buffer.subarray(bodyAt, bodyAt + length))
    if (frame === undefined) log.debug('short frame skipped', { frame: frameTypeName(type), bytes: length })
    else if (frame.type === 'receivedPacket') {
      // A view would pin the whole chunk for as long as the caller keeps it.
      this.#accept({ ...frame, data: copyBytes(frame.data) }, frame.data.length)
    } else if (frame.type === 'sealedServerInfo') {
      const info = openServerInfo(this.#ports.sharedKey, frame.sealedInfo)
      const { tokenBucketBytesPerSecond, tokenBucketBytesBurst } = info
      this.#accept({ type: 'serverInfo', tokenBucketBytesPerSecond, tokenBucketBytesBurst }, 0)
    } else if (frame.type !== 'serverKey') this.#accept(frame, length)
  }

  #accept(message: ReceivedMessage, bytes: number): void {
    this.#ports.onMessage(message)
    this.#queue.push(message, bytes)
  }

  #pause(): void {
    this.#isPaused = true
    this.#silence.suspend()
    this.#ports.conn.pause()
  }

  #readOn(): void {
    this.#isPaused = false
    this.#silence.resume()
    this.#ports.conn.resume()
    this.read()
  }
}

function silent(timeoutMs: number): DerpError {
  return new DerpError('ERR_DERP_READ_TIMEOUT', `receive: no frame for ${timeoutMs} ms`, { clause: 'P-094' })
}

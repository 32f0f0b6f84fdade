/**
 * The sending half of one connection.
 *
 * Frames of one turn of the event loop leave in one write. While a write is under way further packets wait in
 * bounded queues; only one write is outstanding, of bounded size: what the platform holds can neither be dropped nor
 * overtaken.
 * Clauses: P-100 queues, P-101 write timeout, P-102 drops.
 */

import { copyBytes } from '../lib/bytes.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import { DropReason, type PacketKind } from '../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { Conn } from '../transport/conn.ts'
import { ControlQueue } from './control-queue.ts'
import type { QueueAge } from './queue-age.ts'
import { SendQueue } from './send-queue.ts'
import { WriteBatch } from './write-batch.ts'
import type { DeadlineHolder, WriteDeadlines } from './write-deadlines.ts'

/** What the writers of a relay share. */
export interface WriterHost {
  readonly counters: RelayCounters
  readonly queueAge: QueueAge
  readonly sendQueuePackets: number
  readonly maxWriteBytes: number
  /** Milliseconds of the relay's clock. */
  now(): number
  /** Has {@link Writer.flush} called once this turn's input has been handled. */
  flushAfterTurn(writer: Writer): void
}

/** Bytes of a RecvPacket frame before its payload. */
const RECV_PACKET_OVERHEAD = FRAME_HEADER_LENGTH + KEY_LENGTH

type State = 'idle' | 'scheduled' | 'writing' | 'closed'

export class Writer implements DeadlineHolder {
  /** Called for each packet that has waited, when it leaves; its frame has the source's key behind the header. */
  onPacketLeaves: ((frame: Uint8Array) => void) | undefined
  /** Bytes of all frames that have been written. */
  bytesSent = 0
  readonly #host: WriterHost
  readonly #conn: Conn
  readonly #onFailure: (error: DerpError) => void
  readonly #batch = new WriteBatch()
  readonly #control = new ControlQueue()
  #deadlines: WriteDeadlines
  #state: State = 'idle'
  #holding = false
  /** The batch that is being gathered has a Pong. */
  #hasPong = false
  #waitingPong: Uint8Array | undefined
  #onIdle: (() => void) | undefined
  /** Takes no more: otherwise a client that is sent much would never be ended. */
  #isEnding = false
  #data: SendQueue | undefined
  #disco: SendQueue | undefined

  /** @param onFailure called once when a write fails or is not finished in time. */
  constructor(host: WriterHost, conn: Conn, deadlines: WriteDeadlines, onFailure: (error: DerpError) => void) {
    this.#host = host
    this.#conn = conn
    this.#deadlines = deadlines
    this.#onFailure = onFailure
  }

  /** Time limit of the writes to come, and from now on of the one that is under way. */
  set deadlines(deadlines: WriteDeadlines) {
    if (this.#state === 'writing') {
      this.#deadlines.end(this)
      deadlines.begin(this, this.#host.now())
    }
    this.#deadlines = deadlines
  }

  /** Bytes that are on their way, and those that wait. */
  get pendingBytes(): number {
    return this.#batch.bytes + this.#control.bytes + (this.#data?.bytes ?? 0) + (this.#disco?.bytes ?? 0)
  }

  /** Packets that wait because a write is under way. */
  get queuedPackets(): number {
    return (this.#data?.length ?? 0) + (this.#disco?.length ?? 0)
  }

  /** Lets everything wait until {@link release}. */
  hold(): void {
    this.#holding = true
  }

  /** Ends {@link hold}; `frame` leaves before all that has waited. */
  release(frame: Uint8Array): void {
    this.#holding = false
    this.#control.pushFirst(frame)
    if (this.#state === 'idle') this.#writeWaiting()
  }

  /** Sends a frame that is never dropped. The array must not change afterwards. */
  sendControl(frame: Uint8Array): void {
    if (this.#takesNothing) return
    if (!this.#takesMore()) {
      this.#control.push(frame)
      return
    }
    this.#batch.add(frame, 0, frame.length)
    this.#flushWhenFull()
  }

  /** Sends a Pong unless one waits already, whatever else may wait; reports whether it did (P-091). */
  sendPong(frame: Uint8Array): boolean {
    if (this.#takesNothing) return false
    if (this.#takesMore()) {
      if (this.#hasPong) return false
      this.#hasPong = true
      this.sendControl(frame)
      return true
    }
    if (this.#waitingPong !== undefined) return false
    this.#waitingPong = frame
    return true
  }

  /**
   * Sends the RecvPacket frame at `start` up to `end` of `buffer`, in place when it can leave with this turn,
   * else from a copy.
   *
   * @param payloadBytes what is counted; given where the frame carries no source key.
   * @returns whether the packet leaves with this turn; if not, {@link onPacketLeaves} tells, unless it is dropped.
   */
  sendPacket(
    buffer: Uint8Array,
    start: number,
    end: number,
    kind: PacketKind,
    payloadBytes: number = end - start - RECV_PACKET_OVERHEAD,
  ): boolean {
    if (this.#takesNothing) {
      this.#host.counters.drop(DropReason.GoneDisconnected, kind, payloadBytes)
      return false
    }
    if (!this.#takesMore()) {
      this.#enqueue(copyBytes(buffer, start, end), kind, payloadBytes)
      return false
    }
    this.#batch.add(buffer, start, end)
    this.#batch.countPacket(kind, payloadBytes)
    this.#flushWhenFull()
    return true
  }

  /** Writes what this turn has gathered. */
  flush(): void {
    if (this.#state !== 'idle' && this.#state !== 'scheduled') return
    if (this.#batch.bytes === 0) {
      this.#state = 'idle'
      return
    }
    this.#host.queueAge.recordMany(this.#batch.packets, 0)
    this.#write()
  }

  /** Takes no more, and calls `fn` once all that it has taken is written; at most one caller. */
  end(fn: () => void): void {
    this.#isEnding = true
    this.flush()
    if (this.#state === 'idle') fn()
    else this.#onIdle = fn
  }

  /** Stops sending; what has not left is counted as dropped. */
  close(): void {
    if (this.#state === 'closed') return
    const { counters } = this.#host
    const reason = this.#state === 'writing' ? DropReason.WriteError : DropReason.GoneDisconnected
    this.#state = 'closed'
    this.#deadlines.end(this)
    this.#batch.dropped(counters, reason)
    for (const [queue, kind] of [
      [this.#data, 'other'],
      [this.#disco, 'disco'],
    ] as const) {
      for (let waiting = queue?.take(); waiting !== undefined; waiting = queue?.take()) {
        counters.drop(DropReason.GoneDisconnected, kind, waiting.payloadBytes)
      }
    }
    this.#control.clear()
    this.#waitingPong = undefined
  }

  /** The outstanding write took too long (P-101). */
  onWriteTimeout(): void {
    this.#host.counters.writeTimeouts++
    this.#onFailure(
      new DerpError('ERR_DERP_WRITE_TIMEOUT', 'write to client: not finished in time', { clause: 'P-101' }),
    )
  }

  get #takesNothing(): boolean {
    return this.#isEnding || this.#state === 'closed'
  }

  #takesMore(): boolean {
    return !this.#holding && (this.#state === 'idle' || this.#state === 'scheduled')
  }

  #flushWhenFull(): void {
    if (this.#batch.bytes >= this.#host.maxWriteBytes) {
      this.flush()
    } else if (this.#state === 'idle') {
      this.#state = 'scheduled'
      this.#host.flushAfterTurn(this)
    }
  }

  #enqueue(frame: Uint8Array, kind: PacketKind, payloadBytes: number): void {
    const host = this.#host
    const queue = kind === 'disco' ? this.#discoQueue() : this.#dataQueue()
    const nowMs = host.now()
    const dropped = queue.push({ frame, payloadBytes, enqueuedAtMs: nowMs })
    if (dropped !== undefined) {
      host.counters.drop(DropReason.QueueHead, kind, dropped.payloadBytes)
      host.queueAge.recordMany(1, nowMs - dropped.enqueuedAtMs)
    }
  }

  #dataQueue(): SendQueue {
    this.#data ??= new SendQueue(this.#host.sendQueuePackets)
    return this.#data
  }

  #discoQueue(): SendQueue {
    this.#disco ??= new SendQueue(this.#host.sendQueuePackets)
    return this.#disco
  }

  #write(): void {
    this.#state = 'writing'
    this.#hasPong = false
    this.#host.counters.bufferedWriteFrames.observe(this.#batch.frames)
    this.#deadlines.begin(this, this.#host.now())
    this.#conn.write(this.#batch.takeChunks(), this.#onWritten)
  }

  readonly #onWritten = (error?: Error): void => {
    if (this.#state === 'closed') return
    this.#deadlines.end(this)
    if (error !== undefined) {
      this.#onFailure(new DerpError('ERR_DERP_WRITE_FAILED', `write to client: ${error.message}`, { cause: error }))
      return
    }
    this.bytesSent += this.#batch.bytes
    this.#batch.sent(this.#host.counters)
    this.#state = 'idle'
    this.#writeWaiting()
    if (this.#state === 'idle') this.#onIdle?.()
  }

  /** Writes what has waited while a write was under way: control frames, then disco and data in turn (P-100). */
  #writeWaiting(): void {
    if (this.#holding) return
    const { maxWriteBytes } = this.#host
    while (this.#batch.bytes < maxWriteBytes) {
      const frame = this.#control.take()
      if (frame === undefined) break
      this.#batch.add(frame, 0, frame.length)
    }
    const pong = this.#waitingPong
    this.#waitingPong = undefined
    if (pong !== undefined) this.#batch.add(pong, 0, pong.length)
    const nowMs = this.queuedPackets === 0 ? 0 : this.#host.now()
    while (this.queuedPackets > 0 && this.#batch.bytes < maxWriteBytes) {
      this.#takeWaiting(this.#disco, 'disco', nowMs)
      if (this.#batch.bytes < maxWriteBytes) this.#takeWaiting(this.#data, 'other', nowMs)
    }
    if (this.#batch.bytes > 0) this.#write()
  }

  #takeWaiting(queue: SendQueue | undefined, kind: PacketKind, nowMs: number): void {
    const waiting = queue?.take()
    if (waiting === undefined) return
    const { frame, payloadBytes, enqueuedAtMs } = waiting
    this.#batch.add(frame, 0, frame.length)
    this.#batch.countPacket(kind, payloadBytes)
    this.#host.queueAge.recordMany(1, nowMs - enqueuedAtMs)
    if (frame.length - payloadBytes === RECV_PACKET_OVERHEAD) this.onPacketLeaves?.(frame)
  }
}

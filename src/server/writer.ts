/**
 * The sending half of one connection.
 *
 * Frames of one turn of the event loop leave in one write. While a write is under way further packets wait in
 * bounded queues; one write of bounded size is outstanding at a time, so that what the platform holds can be neither
 * dropped nor overtaken only up to that size.
 * Clauses: P-100 queues, P-101 write timeout, P-102 drops.
 */

import { copyBytes } from '../lib/bytes.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import { DropReason, type PacketKind } from '../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { Conn } from '../transport/conn.ts'
import type { QueueAge } from './queue-age.ts'
import { SendQueue } from './send-queue.ts'
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
  readonly #host: WriterHost
  readonly #conn: Conn
  readonly #onFailure: (error: DerpError) => void
  /** Bytes of all frames that have been written. */
  bytesSent = 0
  #deadlines: WriteDeadlines
  #state: State = 'idle'
  #holding = false
  /** Neighbouring frames of one buffer are written as one chunk: this is the last, still growing one. */
  #run: Uint8Array | undefined
  #runStart = 0
  #runEnd = 0
  #batch: Uint8Array[] = []
  #batchBytes = 0
  #batchFrames = 0
  #batchPackets = 0
  #batchPacketBytes = 0
  #batchDisco = 0
  #batchDiscoBytes = 0
  #control: Uint8Array[] = []
  #pong: Uint8Array | undefined
  #onIdle: (() => void) | undefined
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

  /** Bytes that are on their way, and those of the packets that wait. */
  get pendingBytes(): number {
    return this.#batchBytes + (this.#data?.bytes ?? 0) + (this.#disco?.bytes ?? 0)
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
    this.#control.unshift(frame)
    if (this.#state === 'idle') this.#writeWaiting()
  }

  /** Sends a frame that is never dropped. The array must not change afterwards. */
  sendControl(frame: Uint8Array): void {
    if (this.#state === 'closed') return
    if (!this.#takesMore()) {
      this.#control.push(frame)
      return
    }
    this.#append(frame, 0, frame.length)
    this.#schedule()
  }

  /** Sends a Pong unless one waits already, whatever else may wait; reports whether it did (P-091). */
  sendPong(frame: Uint8Array): boolean {
    if (this.#takesMore()) this.sendControl(frame)
    else if (this.#pong === undefined && this.#state !== 'closed') this.#pong = frame
    else return false
    return true
  }

  /**
   * Sends the RecvPacket frame at `start` up to `end` of `buffer`, in place when it can leave with this turn,
   * else from a copy.
   *
   * @param payloadBytes what is counted; given where the frame carries no source key.
   */
  sendPacket(
    buffer: Uint8Array,
    start: number,
    end: number,
    kind: PacketKind,
    payloadBytes: number = end - start - RECV_PACKET_OVERHEAD,
  ): void {
    if (this.#state === 'closed') {
      this.#host.counters.drop(DropReason.GoneDisconnected, kind, payloadBytes)
      return
    }
    if (!this.#takesMore()) {
      this.#enqueue(copyBytes(buffer, start, end), kind, payloadBytes)
      return
    }
    this.#append(buffer, start, end)
    this.#countPacket(payloadBytes, kind)
    if (this.#batchBytes >= this.#host.maxWriteBytes) this.flush()
    else this.#schedule()
  }

  /** Writes what this turn has gathered. */
  flush(): void {
    if (this.#state !== 'idle' && this.#state !== 'scheduled') return
    if (this.#batchBytes === 0) {
      this.#state = 'idle'
      return
    }
    this.#host.queueAge.recordMany(this.#batchPackets, 0)
    this.#write()
  }

  /** Calls `fn` once nothing is on its way or waiting; at most one caller. */
  whenIdle(fn: () => void): void {
    this.flush()
    if (this.#state === 'idle') fn()
    else this.#onIdle = fn
  }

  /** Stops sending; what has not left is counted as dropped. */
  close(): void {
    if (this.#state === 'closed') return
    const reason = this.#state === 'writing' ? DropReason.WriteError : DropReason.GoneDisconnected
    this.#state = 'closed'
    this.#deadlines.end(this)
    this.#dropBatch(reason)
    for (const [queue, kind] of [
      [this.#data, 'other'],
      [this.#disco, 'disco'],
    ] as const) {
      for (let waiting = queue?.take(); waiting !== undefined; waiting = queue?.take()) {
        this.#host.counters.drop(DropReason.GoneDisconnected, kind, waiting.payloadBytes)
      }
    }
    this.#control = []
    this.#pong = undefined
  }

  /** The outstanding write took too long (P-101). */
  onWriteTimeout(): void {
    this.#host.counters.writeTimeouts++
    this.#onFailure(
      new DerpError('ERR_DERP_WRITE_TIMEOUT', 'write to client: not finished in time', { clause: 'P-101' }),
    )
  }

  #takesMore(): boolean {
    return !this.#holding && (this.#state === 'idle' || this.#state === 'scheduled')
  }

  #schedule(): void {
    if (this.#state !== 'idle') return
    this.#state = 'scheduled'
    this.#host.flushAfterTurn(this)
  }

  #append(buffer: Uint8Array, start: number, end: number): void {
    if (this.#run === buffer && this.#runEnd === start) {
      this.#runEnd = end
    } else {
      this.#closeRun()
      this.#run = buffer
      this.#runStart = start
      this.#runEnd = end
    }
    this.#batchBytes += end - start
    this.#batchFrames++
  }

  #closeRun(): void {
    const run = this.#run
    if (run === undefined) return
    const whole = this.#runStart === 0 && this.#runEnd === run.length
    this.#batch.push(whole ? run : run.subarray(this.#runStart, this.#runEnd))
    this.#run = undefined
  }

  #countPacket(bytes: number, kind: PacketKind): void {
    this.#batchPackets++
    this.#batchPacketBytes += bytes
    if (kind === 'disco') {
      this.#batchDisco++
      this.#batchDiscoBytes += bytes
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
    this.#closeRun()
    const batch = this.#batch
    this.#batch = []
    this.#state = 'writing'
    this.#host.counters.bufferedWriteFrames.observe(this.#batchFrames)
    this.#deadlines.begin(this, this.#host.now())
    this.#conn.write(batch, this.#onWritten)
  }

  readonly #onWritten = (error?: Error): void => {
    if (this.#state === 'closed') return
    this.#deadlines.end(this)
    if (error !== undefined) {
      this.#onFailure(new DerpError('ERR_DERP_WRITE_FAILED', `write to client: ${error.message}`, { cause: error }))
      return
    }
    this.#host.counters.packetsSent += this.#batchPackets
    this.#host.counters.bytesSent += this.#batchPacketBytes
    this.bytesSent += this.#batchBytes
    this.#resetBatch()
    this.#state = 'idle'
    this.#writeWaiting()
    if (this.#state === 'idle') this.#onIdle?.()
  }

  /** Writes what has waited while a write was under way: control frames, then disco, then data. */
  #writeWaiting(): void {
    const host = this.#host
    if (this.#holding) return
    for (const frame of this.#control) this.#append(frame, 0, frame.length)
    if (this.#control.length > 0) this.#control = []
    if (this.#pong !== undefined) this.#append(this.#pong, 0, this.#pong.length)
    this.#pong = undefined
    this.#takeWaiting(this.#disco, 'disco', host)
    this.#takeWaiting(this.#data, 'other', host)
    if (this.#batchBytes > 0) this.#write()
  }

  #takeWaiting(queue: SendQueue | undefined, kind: PacketKind, host: WriterHost): void {
    if (queue === undefined || queue.length === 0) return
    const nowMs = host.now()
    while (this.#batchBytes < host.maxWriteBytes) {
      const waiting = queue.take()
      if (waiting === undefined) return
      this.#append(waiting.frame, 0, waiting.frame.length)
      this.#countPacket(waiting.payloadBytes, kind)
      host.queueAge.recordMany(1, nowMs - waiting.enqueuedAtMs)
    }
  }

  #dropBatch(reason: DropReason): void {
    const dropped = this.#host.counters.dropped[reason]
    dropped.disco.packets += this.#batchDisco
    dropped.disco.bytes += this.#batchDiscoBytes
    dropped.other.packets += this.#batchPackets - this.#batchDisco
    dropped.other.bytes += this.#batchPacketBytes - this.#batchDiscoBytes
    this.#resetBatch()
  }

  #resetBatch(): void {
    this.#batch = []
    this.#run = undefined
    this.#batchBytes = 0
    this.#batchFrames = 0
    this.#batchPackets = 0
    this.#batchPacketBytes = 0
    this.#batchDisco = 0
    this.#batchDiscoBytes = 0
  }
}

/**
 * The sending half of one connection.
 *
 * Frames of one turn of the event loop leave in one write. While a write is pending, further packets are queued; at most
 * one write is pending, of bounded size, because what the platform holds can neither be dropped nor overtaken. Queues
 * are cut to their bounds at the end of each turn: over TLS a write is reported late in the next turn even if it was
 * sent at once, and everything that has arrived by then leaves with the next write.
 * Clauses: P-100 queues, P-101 write timeout, P-102 drops.
 */

import { DerpError } from '../../lib/derp-error.ts'
import type { RelayCounters } from '../../metrics/counters.ts'
import { DropReason, type PacketKind } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import type { Conn } from '../../transport/conn.ts'
import { ControlQueue } from './control-queue.ts'
import type { QueueAge } from './queue-age.ts'
import { SendQueue, type WaitingPacket } from './send-queue.ts'
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
  /** Makes {@link Writer.endTurn} run once this turn's input has been handled. */
  flushAfterTurn(writer: Writer): void
}

/** Bytes of a RecvPacket frame before its payload. */
const RECV_PACKET_OVERHEAD = FRAME_HEADER_LENGTH + KEY_LENGTH

/** Sender of a packet whose payload directly follows the header. */
export const NO_SOURCE: object = Object.freeze({})

type State = 'idle' | 'writing' | 'closed'

export class Writer implements DeadlineHolder {
  /** Called for each packet sent from a queue, with its sender and the position of its source's key. */
  onPacketLeaves: ((sender: object | undefined, buffer: Uint8Array, keyAt: number) => void) | undefined
  /** Bytes of all frames written. */
  bytesSent = 0
  readonly #host: WriterHost
  readonly #conn: Conn
  readonly #onFailure: (error: DerpError) => void
  readonly #batch = new WriteBatch()
  readonly #control = new ControlQueue()
  #deadlines: WriteDeadlines
  #state: State = 'idle'
  #holding = false
  /** {@link endTurn} is scheduled. */
  #endsTurn = false
  /** The current batch has a Pong. */
  #hasPong = false
  #waitingPong: Uint8Array | undefined
  #onIdle: (() => void) | undefined
  /** Accepts no more: otherwise a busy client would never finish. */
  #isEnding = false
  #data: SendQueue | undefined
  #disco: SendQueue | undefined

  /** @param onFailure called once if a write fails or times out. */
  constructor(host: WriterHost, conn: Conn, deadlines: WriteDeadlines, onFailure: (error: DerpError) => void) {
    this.#host = host
    this.#conn = conn
    this.#deadlines = deadlines
    this.#onFailure = onFailure
  }

  /** Time limit of future writes, and of the pending one from now on. */
  set deadlines(deadlines: WriteDeadlines) {
    if (this.#state === 'writing') {
      this.#deadlines.end(this)
      deadlines.begin(this, this.#host.now())
    }
    this.#deadlines = deadlines
  }

  /** Bytes being written, plus those queued. */
  get pendingBytes(): number {
    return this.#batch.bytes + this.#control.bytes + (this.#data?.bytes ?? 0) + (this.#disco?.bytes ?? 0)
  }

  /** Packets queued behind a pending write. */
  get queuedPackets(): number {
    return (this.#data?.length ?? 0) + (this.#disco?.length ?? 0)
  }

  /** Queues everything until {@link release}. */
  hold(): void {
    this.#holding = true
  }

  /** Ends {@link hold}; `frame` is sent before everything queued. */
  release(frame: Uint8Array): void {
    this.#holding = false
    this.#control.pushFirst(frame)
    // Frames sent before the hold that are still unsent go into the same write.
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

  /** Sends a Pong unless one is already waiting, whatever else is queued; returns whether it did (P-091). */
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
   * Sends the RecvPacket frame from `start` to `end` of `buffer`, which must not change until it has been written: in place
   * if it can leave in this turn or early in the next, otherwise from a copy.
   *
   * @param sender the session it comes from; none if forwarded, {@link NO_SOURCE} without a source key.
   * @returns whether the packet leaves in this turn; if not, {@link onPacketLeaves} reports it, unless it is dropped.
   */
  sendPacket(buffer: Uint8Array, start: number, end: number, kind: PacketKind, sender?: object): boolean {
    const payloadBytes = end - start - (sender === NO_SOURCE ? FRAME_HEADER_LENGTH : RECV_PACKET_OVERHEAD)
    if (this.#takesNothing) {
      this.#host.counters.drop(DropReason.GoneDisconnected, kind, payloadBytes)
      return false
    }
    if (!this.#takesMore()) {
      this.#enqueue({ buffer, start, end, payloadBytes, sender, settledAtMs: undefined }, kind)
      return false
    }
    this.#batch.add(buffer, start, end)
    this.#batch.countPacket(kind, payloadBytes)
    this.#flushWhenFull()
    return true
  }

  /** The turn has ended: writes the batch; what cannot be sent stays queued, within bounds. */
  endTurn(): void {
    this.#endsTurn = false
    this.flush()
    if (this.queuedPackets > 0) this.#settle()
  }

  /** Writes the batch if no write is pending. */
  flush(): void {
    if (this.#state === 'idle' && this.#batch.bytes > 0) this.#write(0)
  }

  /** Accepts no more, and calls `fn` once everything accepted is written; at most one caller. */
  end(fn: () => void): void {
    this.#isEnding = true
    this.flush()
    if (this.#state === 'idle') fn()
    else this.#onIdle = fn
  }

  /** Stops sending; unsent packets are counted as dropped. */
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

  /** The pending write took too long (P-101). */
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
    return !this.#holding && this.#state === 'idle'
  }

  #flushWhenFull(): void {
    if (this.#batch.bytes >= this.#host.maxWriteBytes) this.flush()
    else this.#scheduleEndOfTurn()
  }

  #scheduleEndOfTurn(): void {
    if (this.#endsTurn) return
    this.#endsTurn = true
    this.#host.flushAfterTurn(this)
  }

  #enqueue(packet: WaitingPacket, kind: PacketKind): void {
    const { sendQueuePackets, maxWriteBytes } = this.#host
    const queue = kind === 'disco' ? this.#discoQueue() : this.#dataQueue()
    queue.push(packet)
    // More than one write's worth cannot be sent by the end of the turn.
    if (queue.length > sendQueuePackets && queue.bytes > maxWriteBytes) this.#displace(queue, kind, this.#host.now())
    this.#scheduleEndOfTurn()
  }

  /** Displaces the oldest packet (P-100). */
  #displace(queue: SendQueue, kind: PacketKind, nowMs: number): void {
    const oldest = queue.take()
    if (oldest === undefined) return
    this.#host.counters.drop(DropReason.QueueHead, kind, oldest.payloadBytes)
    this.#host.queueAge.recordMany(1, nowMs - (oldest.settledAtMs ?? nowMs))
  }

  #settle(): void {
    const nowMs = this.#host.now()
    for (const [queue, kind] of [
      [this.#data, 'other'],
      [this.#disco, 'disco'],
    ] as const) {
      if (queue === undefined) continue
      while (queue.length > this.#host.sendQueuePackets) this.#displace(queue, kind, nowMs)
      queue.settle(nowMs)
    }
  }

  #dataQueue(): SendQueue {
    this.#data ??= new SendQueue()
    return this.#data
  }

  #discoQueue(): SendQueue {
    this.#disco ??= new SendQueue()
    return this.#disco
  }

  /** @param aged packets of the batch whose age has been recorded; the others leave in the turn they arrived in. */
  #write(aged: number): void {
    const { counters, queueAge } = this.#host
    this.#state = 'writing'
    this.#hasPong = false
    queueAge.recordMany(this.#batch.packets - aged, 0)
    counters.bufferedWriteFrames.observe(this.#batch.frames)
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

  /** Writes what was queued behind a write: control frames, then disco and data alternately (P-100). */
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
    let aged = 0
    while (this.queuedPackets > 0 && this.#batch.bytes < maxWriteBytes) {
      aged += this.#takeWaiting(this.#disco, 'disco', nowMs)
      if (this.#batch.bytes < maxWriteBytes) aged += this.#takeWaiting(this.#data, 'other', nowMs)
    }
    if (this.#batch.bytes > 0) this.#write(aged)
  }

  /** Returns the number of packets whose age was recorded. */
  #takeWaiting(queue: SendQueue | undefined, kind: PacketKind, nowMs: number): number {
    const waiting = queue?.take()
    if (waiting === undefined) return 0
    const { buffer, start, end, payloadBytes, sender, settledAtMs } = waiting
    this.#batch.add(buffer, start, end)
    this.#batch.countPacket(kind, payloadBytes)
    if (sender !== NO_SOURCE) this.onPacketLeaves?.(sender, buffer, start + FRAME_HEADER_LENGTH)
    if (settledAtMs === undefined) return 0
    this.#host.queueAge.recordMany(1, nowMs - settledAtMs)
    return 1
  }
}

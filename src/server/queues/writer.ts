/**
 * The sending half of one connection.
 *
 * Frames of one turn of the event loop leave in one write. While a write is pending, further packets are queued; at most
 * one write is pending, of bounded size, because what the platform holds can neither be dropped nor overtaken. Queues
 * are cut to their bounds at the end of each turn: over TLS a write is reported late in the next turn even if it was
 * sent at once, and everything that has arrived by then leaves with the next write.
 * Clauses: P-100 queues, P-101 write timeout, P-102 drops, P-104 bound on what waits for all.
 */

import { DerpError } from '../../lib/derp-error.ts'
import { DropReason, type PacketKind } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import type { Conn } from '../../transport/conn.ts'
import { ConnectionTally } from '../connection-tally.ts'
import { ControlQueue } from './control-queue.ts'
import { PacketQueues, type QueuesHost } from './packet-queues.ts'
import type { WriteHolder } from './queue-budget.ts'
import type { WaitingPacket } from './send-queue.ts'
import { WriteBatch } from './write-batch.ts'
import type { DeadlineHolder, WriteDeadlines } from './write-deadlines.ts'

/** What the writers of a relay share. */
export interface WriterHost extends QueuesHost {
  /** Makes `endTurn` run once this turn's input has been handled. */
  flushAfterTurn(writer: Writer): void
}

/** Bytes of a RecvPacket frame before its payload. */
const RECV_PACKET_OVERHEAD = FRAME_HEADER_LENGTH + KEY_LENGTH

/** Sender of a packet whose payload directly follows the header. */
export const NO_SOURCE: object = Object.freeze({})

type State = 'idle' | 'writing' | 'closed'

/** Whose connection it is. */
export interface WriterOwner {
  /** Called once if a write fails or times out. */
  fail(error: DerpError): void
  /** Called for each packet sent from a queue, with its sender and the position of its source's key. */
  packetLeaves?(sender: object | undefined, buffer: Uint8Array, keyAt: number): void
}

export class Writer implements DeadlineHolder, WriteHolder {
  owner: WriterOwner
  /** Counts what is sent; the rest is the reader's. */
  readonly tally: ConnectionTally = new ConnectionTally()
  readonly #host: WriterHost
  readonly #conn: Conn
  readonly #batch = new WriteBatch()
  /** Control frames behind the pending write; undefined while there are none. */
  #control: ControlQueue | undefined
  #deadlines: WriteDeadlines<Writer>
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
  /** Packets behind the pending write; undefined until there are some. */
  #queues: PacketQueues | undefined

  constructor(host: WriterHost, conn: Conn, deadlines: WriteDeadlines<Writer>, owner: WriterOwner) {
    this.#host = host
    this.#conn = conn
    this.#deadlines = deadlines
    this.owner = owner
  }

  /** Time limit of future writes, and of the pending one from now on. */
  set deadlines(deadlines: WriteDeadlines<Writer>) {
    if (this.#state === 'writing') {
      this.#deadlines.end(this)
      deadlines.begin(this, this.#host.now())
    }
    this.#deadlines = deadlines
  }

  /** Bytes being written, plus those queued. */
  get pendingBytes(): number {
    return this.#batch.bytes + (this.#control?.bytes ?? 0) + (this.#queues?.queuedBytes ?? 0)
  }

  /** Packets queued behind a pending write. */
  get queuedPackets(): number {
    return this.#queues?.packets ?? 0
  }

  /** Queues everything until {@link release}. */
  hold(): void {
    this.#holding = true
  }

  /** Ends {@link hold}; `frame` is sent before everything queued. */
  release(frame: Uint8Array): void {
    this.#holding = false
    this.#control ??= new ControlQueue()
    this.#control.pushFirst(frame)
    this.#host.queueBudget.heldBytes += frame.length
    // Frames sent before the hold that are still unsent go into the same write.
    if (this.#state === 'idle') this.#writeWaiting()
  }

  /** Sends a frame that is never dropped. The array must not change afterwards. */
  sendControl(frame: Uint8Array): void {
    if (this.#takesNothing) return
    if (!this.#takesMore()) {
      this.#control ??= new ControlQueue()
      this.#control.push(frame)
      this.#host.queueBudget.heldBytes += frame.length
      // A client that does not read must not grow without its queues being looked at.
      this.#scheduleEndOfTurn()
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
   * @returns whether the packet leaves in this turn; if not, {@link WriterOwner.packetLeaves} reports it, unless it is dropped.
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
    this.#queues?.settle()
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
    const { counters, queueBudget } = this.#host
    const reason = this.#state === 'writing' ? DropReason.WriteError : DropReason.GoneDisconnected
    if (this.#state === 'writing') queueBudget.heldBytes -= this.#batch.bytes
    queueBudget.heldBytes -= this.#control?.bytes ?? 0
    this.#state = 'closed'
    this.#deadlines.end(this)
    this.#batch.dropped(counters, reason)
    this.#queues?.close(DropReason.GoneDisconnected)
    this.#control = undefined
    this.#waitingPong = undefined
  }

  /** The pending write took too long (P-101). */
  onWriteTimeout(): void {
    this.#host.counters.writeTimeouts++
    this.owner.fail(
      new DerpError('ERR_DERP_WRITE_TIMEOUT', 'write to client: not finished in time', { clause: 'P-101' }),
    )
  }

  /** Too much waits for all clients together, and most of it here (P-104). */
  onOverflow(): void {
    this.owner.fail(
      new DerpError('ERR_DERP_BACKLOG_FULL', 'write to client: too much waits for all clients together', {
        clause: 'P-104',
      }),
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
    this.#queues ??= new PacketQueues(this.#host)
    this.#queues.push(packet, kind)
    this.#scheduleEndOfTurn()
  }

  /** @param aged packets of the batch whose age has been recorded; the others leave in the turn they arrived in. */
  #write(aged: number): void {
    const { counters, queueAge, queueBudget } = this.#host
    this.#state = 'writing'
    queueBudget.heldBytes += this.#batch.bytes
    this.#hasPong = false
    queueAge.recordMany(this.#batch.packets - aged, 0)
    counters.bufferedWriteFrames.observe(this.#batch.frames)
    this.#deadlines.begin(this, this.#host.now())
    this.#conn.write(this.#batch.chunks(), this.#onWritten)
  }

  readonly #onWritten = (error?: Error): void => {
    if (this.#state === 'closed') return
    this.#deadlines.end(this)
    if (error !== undefined) {
      this.owner.fail(new DerpError('ERR_DERP_WRITE_FAILED', `write to client: ${error.message}`, { cause: error }))
      return
    }
    this.#host.queueBudget.heldBytes -= this.#batch.bytes
    this.#batch.sent(this.#host.counters, this.tally)
    this.#state = 'idle'
    this.#writeWaiting()
    if (this.#state === 'idle') this.#onIdle?.()
  }

  /** Writes what was queued behind a write: control frames, then disco and data alternately (P-100). */
  #writeWaiting(): void {
    if (this.#holding) return
    const { maxWriteBytes, queueBudget } = this.#host
    while (this.#batch.bytes < maxWriteBytes) {
      const frame = this.#control?.take()
      if (frame === undefined) break
      queueBudget.heldBytes -= frame.length
      this.#batch.add(frame, 0, frame.length)
    }
    // A burst must not leave its memory behind.
    if (this.#control?.isEmpty === true) this.#control = undefined
    const pong = this.#waitingPong
    this.#waitingPong = undefined
    if (pong !== undefined) this.#batch.add(pong, 0, pong.length)
    const nowMs = this.queuedPackets === 0 ? 0 : this.#host.now()
    let aged = 0
    while (this.queuedPackets > 0 && this.#batch.bytes < maxWriteBytes) {
      aged += this.#takeWaiting('disco', nowMs)
      if (this.#batch.bytes < maxWriteBytes) aged += this.#takeWaiting('other', nowMs)
    }
    if (this.queuedPackets === 0) this.#queues?.emptied()
    if (this.#batch.bytes > 0) this.#write(aged)
  }

  /** Returns the number of packets whose age was recorded. */
  #takeWaiting(kind: PacketKind, nowMs: number): number {
    const waiting = this.#queues?.take(kind)
    if (waiting === undefined) return 0
    const { buffer, start, end, payloadBytes, sender, settledAtMs } = waiting
    this.#batch.add(buffer, start, end)
    this.#batch.countPacket(kind, payloadBytes)
    if (sender !== NO_SOURCE) this.owner.packetLeaves?.(sender, buffer, start + FRAME_HEADER_LENGTH)
    if (settledAtMs === undefined) return 0
    this.#host.queueAge.recordMany(1, nowMs - settledAtMs)
    return 1
  }
}

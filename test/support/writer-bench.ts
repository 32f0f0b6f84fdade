/** A writer over a connection that finishes writes on demand. */

import type { DerpError } from '../../src/lib/derp-error.ts'
import { RelayCounters } from '../../src/metrics/counters.ts'
import { QueueAge } from '../../src/server/queues/queue-age.ts'
import { QueueBudget, type QueueHolder } from '../../src/server/queues/queue-budget.ts'
import { WriteDeadlines } from '../../src/server/queues/write-deadlines.ts'
import { Writer } from '../../src/server/queues/writer.ts'
import type { Conn } from '../../src/transport/conn.ts'
import { FakeClock } from './fake-clock.ts'

/** Bytes of a RecvPacket frame before its payload. */
export const OVERHEAD: number = 5 + 32

/** A budget that shows what it holds. */
export class OpenBudget extends QueueBudget {
  readonly holders: Set<QueueHolder> = new Set()
  override add(holder: QueueHolder): void {
    super.add(holder)
    this.holders.add(holder)
  }
  override remove(holder: QueueHolder): void {
    super.remove(holder)
    this.holders.delete(holder)
  }
}

export class WriterBench {
  readonly clock: FakeClock = new FakeClock({ turns: 'manual' })
  readonly counters: RelayCounters = new RelayCounters()
  readonly queueAge: QueueAge = new QueueAge(this.counters.queueAgeMs)
  readonly deadlines: WriteDeadlines<Writer> = new WriteDeadlines(this.clock, 2_000)
  readonly failures: DerpError[] = []
  /** The chunks of each write. */
  readonly writes: (readonly Uint8Array[])[] = []
  readonly writer: Writer
  readonly budget: QueueBudget
  /** How often the writer has asked for the end of a turn. */
  turnsAsked = 0
  #done: ((error?: Error) => void) | undefined

  constructor(options: { sendQueuePackets?: number; maxWriteBytes?: number } = {}, budget = new QueueBudget(0)) {
    this.budget = budget
    const conn: Conn = {
      remote: undefined,
      local: undefined,
      open() {},
      pause() {},
      resume() {},
      write: (chunks, done) => {
        if (this.#done !== undefined) throw new Error('write to bench: a write is pending')
        this.writes.push(chunks)
        this.#done = done
      },
      destroy() {},
      end() {},
    }
    const host = {
      counters: this.counters,
      queueAge: this.queueAge,
      queueBudget: this.budget,
      sendQueuePackets: options.sendQueuePackets ?? 32,
      maxWriteBytes: options.maxWriteBytes ?? 65_536,
      now: () => this.clock.now(),
      flushAfterTurn: (writer: Writer) => {
        this.turnsAsked++
        this.clock.afterTurn(() => writer.endTurn())
      },
    }
    this.writer = new Writer(host, conn, this.deadlines, { fail: error => this.failures.push(error) })
  }

  /** Bytes of each chunk of the last write. */
  get lastWrite(): number[][] {
    return (this.writes.at(-1) ?? []).map(chunk => [...chunk])
  }

  /** Finishes the pending write. */
  written(error?: Error): void {
    const done = this.#done
    if (done === undefined) throw new Error('end write of bench: none is pending')
    this.#done = undefined
    done(error)
  }

  /** Sends a data packet of `payloadBytes`, all bytes `fill`. */
  data(fill: number, payloadBytes = 1): void {
    this.writer.sendPacket(new Uint8Array(OVERHEAD + payloadBytes).fill(fill), 0, OVERHEAD + payloadBytes, 'other')
  }

  /** The same for disco. */
  disco(fill: number, payloadBytes = 1): void {
    this.writer.sendPacket(new Uint8Array(OVERHEAD + payloadBytes).fill(fill), 0, OVERHEAD + payloadBytes, 'disco')
  }
}

/** The first byte of each chunk. */
export const firstBytes = (chunks: number[][]): (number | undefined)[] => chunks.map(chunk => chunk[0])

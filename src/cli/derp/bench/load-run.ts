/** The load of one process: connects its pairs, runs them, and waits for what is still on its way. Pure over its ports. */

import type { Clock } from '../../../lib/clock.ts'
import { sleep } from '../../../lib/sleep.ts'
import type { LoadPart } from './bench-plan.ts'
import { Flow, type FlowClient } from './flow.ts'
import { Tally } from './tally.ts'

/** Pairs that connect at a time: a relay may bound logins per second. */
const CONNECTING = 8
/** Time for the last packets to arrive; what has not by then is lost. */
const DRAIN_MS = 2_000
const DRAIN_POLL_MS = 20

/** A client that is logged in. */
export interface LoadClient extends FlowClient {
  close(): Promise<void>
}

export interface LoadPorts {
  readonly clock: Clock
  /** Connects and logs in the sender or receiver of a pair. For a pair of one client both are the same. */
  readonly connect: (pair: number, end: 'sender' | 'receiver') => Promise<LoadClient>
}

/** How connecting went. */
export interface Connected {
  readonly pairs: number
  /** Why others did not connect, of the first. */
  readonly reason: string | undefined
}

interface Pair {
  readonly sender: LoadClient
  readonly receiver: LoadClient
  /** Among those of all processes. */
  readonly number: number
}

export class LoadRun {
  readonly tally: Tally = new Tally()
  readonly #part: LoadPart
  readonly #ports: LoadPorts
  readonly #pairs: Pair[] = []
  readonly #stop = new AbortController()

  constructor(part: LoadPart, ports: LoadPorts) {
    this.#part = part
    this.#ports = ports
  }

  async connect(): Promise<Connected> {
    const left = Array.from({ length: this.#part.pairs }, (_, at) => this.#part.firstPair + at)
    let reason: string | undefined
    const connectSome = async () => {
      for (let number = left.shift(); number !== undefined && !this.#stop.signal.aborted; number = left.shift()) {
        try {
          this.#pairs.push(await this.#connectPair(number))
        } catch (error) {
          reason ??= error instanceof Error ? error.message : String(error)
        }
      }
    }
    await Promise.all(Array.from({ length: CONNECTING }, connectSome))
    return { pairs: this.#pairs.length, reason }
  }

  /** Runs to the end, or until {@link stop}; closes the clients. */
  async run(): Promise<void> {
    const { clock } = this.#ports
    const { load } = this.#part
    const startMs = clock.now()
    const measureMs = startMs + load.warmupMs
    const times = { startMs, measureMs, endMs: measureMs + load.durationMs }
    const flows = this.#pairs.map(({ sender, receiver, number: pair }) => {
      const ports = { clock, sender, receiver, tally: this.tally, stop: this.#stop.signal }
      return new Flow({ ...load, ...times, pair }, ports)
    })
    const receiving = flows.map(flow => flow.receive())
    await Promise.all(flows.map(flow => flow.send()))
    const giveUpMs = clock.now() + DRAIN_MS
    while (flows.some(flow => flow.isWaiting) && clock.now() < giveUpMs) await sleep(clock, DRAIN_POLL_MS)
    // Ends receivers that wait after a failure.
    this.stop()
    await this.close()
    await Promise.all(receiving)
  }

  /** Ends connecting or sending. */
  stop(): void {
    this.#stop.abort()
  }

  async close(): Promise<void> {
    const clients = new Set(this.#pairs.flatMap(({ sender, receiver }) => [sender, receiver]))
    await Promise.all(Array.from(clients, client => client.close().catch(() => {})))
  }

  async #connectPair(number: number): Promise<Pair> {
    const receiver = await this.#ports.connect(number, 'receiver')
    try {
      return { number, receiver, sender: await this.#ports.connect(number, 'sender') }
    } catch (error) {
      await receiver.close().catch(() => {})
      throw error
    }
  }
}

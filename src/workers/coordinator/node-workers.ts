/**
 * The worker threads of a relay: starts, watches, replaces and stops them.
 *
 * `tsc` rewrites imports but not URLs: an entry module that passes its own `import.meta.url` works from sources and from
 * the built package.
 */

import { type MessagePort, Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import type { DrainOptions, DrainResult } from '../../server/drain.ts'
import { createChannel, nodeMemory, nodePort, openLink } from '../channel/node-port.ts'
import { Coordinator, type CoordinatorOptions } from './coordinator.ts'
import { RestartDelay } from './restart-delay.ts'
import { Watchdog } from './watchdog.ts'

/** Milliseconds for workers to stop in an orderly way. */
const CLOSE_TIMEOUT_MS = 2_000

/** Options of {@link Workers.start}. */
export interface WorkersOptions
  extends Partial<
    Pick<CoordinatorOptions, 'clock' | 'admission' | 'http' | 'maxClients' | 'rateLimit' | 'totalRate' | 'program'>
  > {
  /** Module that calls `runWorker`. */
  readonly entry: URL
  /** Passed to each worker; anything that structured clone can copy. */
  readonly data: unknown
  /** Number of workers, two or more. */
  readonly count: number
  /** Receives an error for each worker that crashes or hangs. Default: nothing is logged. */
  readonly log?: Log
  /** Called for each thread started; its own port is free for the program's use. */
  readonly onThread?: (thread: Worker) => void
}

/** Start data of a thread. */
export interface WorkerStart {
  readonly worker: number
  readonly port: MessagePort
  readonly data: unknown
}

/** A slot for a worker, which is replaced when it crashes or hangs. */
interface WorkerSlot {
  readonly index: number
  readonly delay: RestartDelay
  thread: Worker | undefined
  watchdog: Watchdog | undefined
}

/**
 * One relay on several threads; this thread coordinates them. A worker that crashes or hangs is replaced.
 *
 * @example
 * ```ts
 * // worker.ts calls runWorker.
 * const workers = await Workers.start({ entry: new URL('./worker.ts', import.meta.url), data: { port: 3340 }, count: 2 })
 * console.log(workers.listening)
 * await workers.close()
 * ```
 */
export class Workers {
  readonly #options: WorkersOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #coordinator: Coordinator
  readonly #slots: readonly WorkerSlot[]
  #listening = 0
  #crashes = 0
  #isEnding = false
  /** While the first workers are starting. */
  #starting: PromiseWithResolvers<void> | undefined

  private constructor(options: WorkersOptions) {
    const { clock = systemClock, log = silentLog, program } = options
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#coordinator = new Coordinator({
      ...options,
      clock,
      program: { ...program, workers: () => ({ running: this.#listening, crashes: this.#crashes }) },
      memory: nodeMemory,
      createChannel,
      openLink,
    })
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      delay: new RestartDelay(),
      thread: undefined,
      watchdog: undefined,
    }))
  }

  /** Resolves once all workers listen. Rejects, leaving none, if one of them exits before that. */
  static async start(options: WorkersOptions): Promise<Workers> {
    const workers = new Workers(options)
    workers.#starting = Promise.withResolvers()
    for (const slot of workers.#slots) workers.#startAt(slot)
    try {
      await workers.#starting.promise
    } catch (error) {
      await workers.close()
      throw error
    } finally {
      workers.#starting = undefined
    }
    return workers
  }

  /** @internal */
  get coordinator(): Coordinator {
    return this.#coordinator
  }

  /** Workers that accept connections. */
  get listening(): number {
    return this.#listening
  }

  /** Workers that exited without being told to, or hung and were ended. */
  get crashes(): number {
    return this.#crashes
  }

  /** Workers that have not answered the last beat, by the order of their first start. */
  get silent(): readonly number[] {
    return this.#slots.filter(({ watchdog }) => watchdog?.isWaiting === true).map(({ index }) => index)
  }

  /** Makes all listeners stop accepting connections. */
  stopListening(): void {
    this.#isEnding = true
    this.#coordinator.stopListening()
  }

  /** Accepts no more connections and closes existing ones gradually. Workers are no longer replaced. */
  drain(options: DrainOptions): Promise<DrainResult> {
    this.#isEnding = true
    return this.#coordinator.drain(options)
  }

  /** Closes all connections and stops all workers. */
  async close(): Promise<void> {
    this.#isEnding = true
    this.#coordinator.close()
    const threads = this.#slots.flatMap(({ thread }) => thread ?? [])
    const timer = this.#clock.after(CLOSE_TIMEOUT_MS, () => {
      for (const thread of threads) void thread.terminate()
    })
    await Promise.all(threads.map(thread => new Promise(resolve => thread.once('exit', resolve))))
    timer.cancel()
  }

  #startAt(slot: WorkerSlot): void {
    const [workerEnd, ownEnd] = createChannel()
    const startedAtMs = this.#clock.now()
    let isListening = false
    const handle = this.#coordinator.addWorker(nodePort(ownEnd), {
      onListening: () => {
        isListening = true
        watchdog.start()
        this.#onListening()
      },
    })
    const workerData: WorkerStart = { worker: handle.number, port: workerEnd, data: this.#options.data }
    const thread = new Worker(this.#options.entry, {
      name: `derp worker ${slot.index}`,
      workerData,
      transferList: [workerEnd],
    })
    slot.thread = thread
    let reason = 'it exited'
    const watchdog = new Watchdog(this.#clock, handle, () => {
      reason = 'it hung'
      void thread.terminate()
    })
    slot.watchdog = watchdog
    thread.on('error', error => {
      reason = error instanceof Error ? error.message : String(error)
    })
    thread.on('exit', () => {
      slot.thread = undefined
      watchdog.stop()
      if (isListening) this.#listening--
      this.#coordinator.removeWorker(handle)
      this.#onEnd(slot, reason, this.#clock.now() - startedAtMs)
    })
    this.#options.onThread?.(thread)
  }

  #onListening(): void {
    this.#listening++
    if (this.#listening === this.#slots.length) this.#starting?.resolve()
  }

  #onEnd(slot: WorkerSlot, reason: string, ranMs: number): void {
    if (this.#isEnding) return
    if (this.#starting !== undefined) {
      this.#starting.reject(new DerpError('ERR_DERP_RELAY_CLOSED', `start worker ${slot.index}: ${reason}`))
      return
    }
    this.#crashes++
    const delayMs = slot.delay.afterEnd(ranMs)
    this.#log.error('worker crashed', { worker: slot.index, reason, ranMs: Math.round(ranMs), restartInMs: delayMs })
    this.#clock.after(delayMs, () => {
      if (!this.#isEnding) this.#startAt(slot)
    })
  }
}

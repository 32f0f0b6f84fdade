/** The main thread's side of the workers: their initial state, updates, and the shared port. */

import type { Worker } from 'node:worker_threads'
import type { SharedTally, TallyMemory } from '../../listen/shared-tally.ts'
import type { Readiness } from '../../status/readiness.ts'
import type { DaemonLog, LogFormat, LogLevel } from '../log/log.ts'
import type { MainTls } from './main-tls.ts'
import { ThreadCalls } from './thread-calls.ts'
import type { MainCalls, NamesState, WorkerCalls, WorkerData } from './worker-calls.ts'
import type { WorkerSettings } from './worker-settings.ts'

export interface WorkerThreadsParts {
  readonly settings: WorkerSettings
  readonly count: number
  readonly tally: { readonly memory: TallyMemory; readonly own: SharedTally }
  readonly readiness: Readiness
  readonly names: () => NamesState
  readonly log: DaemonLog
  readonly logFormat: LogFormat
}

/** Why a worker could not bind its port. */
interface BindFailure {
  readonly message: string
  readonly code: string | undefined
}

export class WorkerThreads {
  readonly #parts: WorkerThreadsParts
  readonly #tls: MainTls | undefined
  readonly #calls = new Set<ThreadCalls<WorkerCalls>>()
  /** Unused thread numbers. */
  readonly #free: Set<number>
  /** The port that the first worker is choosing; the others wait for it. */
  #chosen: PromiseWithResolvers<number> | undefined
  /** The bound port; 0 before. */
  port = 0
  bindFailure: BindFailure | undefined

  constructor(parts: WorkerThreadsParts, tls: MainTls | undefined) {
    this.#parts = parts
    this.#tls = tls
    // The main thread is 0.
    this.#free = new Set(Array.from({ length: parts.count }, (_, at) => at + 1))
  }

  /** Call when a thread has been started. */
  add(worker: Worker): void {
    const { tally, readiness, log } = this.#parts
    const [number] = this.#free
    if (number === undefined) throw new RangeError('start worker: all thread numbers are in use')
    this.#free.delete(number)
    const local: MainCalls = {
      begin: () => begin(),
      port: () => this.#portToBind(),
      bound: port => this.#onBound(port),
      notBound: (message, code) => {
        this.bindFailure = { message, code }
      },
      readiness: () => readiness.report(),
      log: (lines, dropped) => log.take(lines, dropped),
    }
    const calls = new ThreadCalls<WorkerCalls>(worker, local)
    let leaveReplicas: (() => void) | undefined
    const begin = () => {
      this.#calls.add(calls)
      leaveReplicas = this.#tls?.replicas.add(update => calls.call('applyTls', update))
      return this.#data(number)
    }
    worker.once('exit', () => {
      calls.close()
      this.#calls.delete(calls)
      leaveReplicas?.()
      tally.own.forget(number)
      this.#free.add(number)
    })
  }

  namesChanged(): void {
    this.#callAll(calls => calls.call('showNames', this.#parts.names()))
  }

  setLogLevel(level: LogLevel): void {
    this.#callAll(calls => calls.call('setLogLevel', level))
  }

  /** Failures are ignored: the worker is gone or about to fail. */
  #callAll(call: (calls: ThreadCalls<WorkerCalls>) => Promise<void>): void {
    for (const calls of this.#calls) call(calls).catch(() => {})
  }

  #data(thread: number): WorkerData {
    const { settings, tally, names, log, logFormat } = this.#parts
    return {
      thread,
      settings,
      logLevel: log.level,
      logFormat,
      tally: tally.memory,
      tls: this.#tls?.tls.state(),
      names: names(),
    }
  }

  async #portToBind(): Promise<number> {
    const { port } = this.#parts.settings.listen.address
    if (port !== 0) return port
    if (this.#chosen !== undefined) return this.#chosen.promise
    this.#chosen = Promise.withResolvers()
    return 0
  }

  #onBound(port: number): void {
    this.port = port
    this.#chosen?.resolve(port)
  }
}

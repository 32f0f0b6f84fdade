/** Entry module of a worker thread. The main thread imports only its URL. */

import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { createRelay } from '../../relay.ts'
import { runWorker } from '../../workers/worker/node-run-worker.ts'
import type { RelayWorker } from '../../workers/worker/relay-worker.ts'
import type { WorkerRuntime } from '../../workers/worker/worker-runtime.ts'
import { tuneGarbageCollection } from '../garbage-collection.ts'
import { logRuntimeWarnings } from '../log/runtime-warnings.ts'
import { ThreadCalls } from './thread-calls.ts'
import type { MainCalls, WorkerCalls } from './worker-calls.ts'
import { WorkerDaemon } from './worker-daemon.ts'

/** URL of this module, from source or as built. */
export const WORKER_ENTRY: URL = new URL(import.meta.url)

/** Marks workers of the daemon among other threads that may load this module. */
export const WORKER_MARK = 'derper worker'

/** Holds calls that arrive before the worker's daemon exists. */
class EarlyCalls {
  readonly #daemon: Promise<WorkerDaemon>
  readonly calls: { readonly [K in keyof WorkerCalls]: (...args: Parameters<WorkerCalls[K]>) => Promise<void> }

  constructor(daemon: Promise<WorkerDaemon>) {
    this.#daemon = daemon
    this.calls = {
      applyTls: async update => (await this.#daemon).calls.applyTls(update),
      showNames: async names => (await this.#daemon).calls.showNames(names),
      setLogLevel: async level => (await this.#daemon).calls.setLogLevel(level),
    }
  }
}

async function setUp(worker: RelayWorker): Promise<WorkerRuntime> {
  tuneGarbageCollection()
  if (parentPort === null) throw new TypeError('run worker: not in a worker thread')
  const port = parentPort
  const made = Promise.withResolvers<WorkerDaemon>()
  const main = new ThreadCalls<MainCalls>(port, new EarlyCalls(made.promise).calls)
  const { createDirectory, admission, source, metrics } = worker
  const readiness = { report: () => main.call('readiness') }
  // Fails only if the main thread is gone, and its log with it.
  const logSink = { write: (lines: string, dropped: number) => main.call('log', lines, dropped).catch(() => {}) }
  const daemon = new WorkerDaemon(await main.call('begin'), logSink, options =>
    createRelay({ ...options, worker: { createDirectory, admission, source, metrics, readiness } }),
  )
  logRuntimeWarnings(daemon.log)
  made.resolve(daemon)
  return {
    core: daemon.relay.core,
    http: daemon.relay.http,
    connections: daemon.limits.counters,
    listen: () => listen(daemon, main),
    stopListening: () => daemon.stopListening(),
    close: async () => {
      await daemon.close()
      port.close()
    },
  }
}

async function listen(daemon: WorkerDaemon, main: ThreadCalls<MainCalls>): Promise<void> {
  try {
    await main.call('bound', await daemon.listen(await main.call('port')))
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    await main.call('notBound', message, code)
    throw error
  }
}

if (!isMainThread && (workerData as { data?: unknown } | null)?.data === WORKER_MARK) {
  await runWorker(setUp)
  // Ports to other workers may still be open.
  process.exit()
}

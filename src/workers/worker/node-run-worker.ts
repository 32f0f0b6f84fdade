/** The entry of a worker thread. */

import { workerData } from 'node:worker_threads'
import { nodeMemory, nodePort, openLink } from '../channel/node-port.ts'
import type { WorkerStart } from '../coordinator/node-workers.ts'
import { RelayWorker } from './relay-worker.ts'
import type { WorkerRuntime } from './worker-runtime.ts'

/**
 * Runs this thread as a worker of a relay; call it from the entry module passed to `Workers.start`.
 *
 * @param setup creates what the worker runs, from the data passed to `Workers.start`.
 * @returns a promise that resolves when the worker has been told to stop and has stopped.
 * @example
 * ```ts
 * await runWorker<{ port: number }>((worker, { port }) => {
 *   const relay = createRelay({ privateKey, worker })
 *   const listener = createHttpListener({ routes: relay.routes, acceptTimeoutMs: 10_000 })
 *   return {
 *     core: relay.core,
 *     http: relay.http,
 *     listen: async () => void (await listener.listen(port, '0.0.0.0', { reusePort: true })),
 *     stopListening: () => listener.stopListening(),
 *     close: () => listener.close(),
 *   }
 * })
 * ```
 */
export async function runWorker<Data>(
  setup: (worker: RelayWorker, data: Data) => WorkerRuntime | Promise<WorkerRuntime>,
): Promise<void> {
  const { worker: number, port, data } = workerData as WorkerStart
  const worker = new RelayWorker({ worker: number, port: nodePort(port), openLink, memory: nodeMemory })
  worker.run(await setup(worker, data as Data))
  await worker.closed
}

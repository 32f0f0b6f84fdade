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
 * await runWorker<{ port: number }>((part, { port }) => {
 *   const relay = createRelay({ privateKey, part })
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
  setup: (part: RelayWorker, data: Data) => WorkerRuntime | Promise<WorkerRuntime>,
): Promise<void> {
  const { worker, port, data } = workerData as WorkerStart
  const part = new RelayWorker({ worker, port: nodePort(port), openLink, memory: nodeMemory })
  part.run(await setup(part, data as Data))
  await part.closed
}

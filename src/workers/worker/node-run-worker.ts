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
 */
export async function runWorker<Data>(
  setup: (part: RelayWorker, data: Data) => WorkerRuntime | Promise<WorkerRuntime>,
): Promise<void> {
  const { worker, port, data } = workerData as WorkerStart
  const part = new RelayWorker({ worker, port: nodePort(port), openLink, memory: nodeMemory })
  part.run(await setup(part, data as Data))
  await part.closed
}

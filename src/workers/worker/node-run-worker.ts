/** The thread of a worker. */

import { workerData } from 'node:worker_threads'
import { nodeMemory, nodePort, openLink } from '../channel/node-port.ts'
import type { WorkerStart } from '../coordinator/node-workers.ts'
import { RelayWorker } from './relay-worker.ts'
import type { WorkerRuntime } from './worker-runtime.ts'

/**
 * Runs this thread as a worker of a relay; for entry modules that `Workers.start` is given.
 *
 * @param setup makes what the worker runs, of the data that `Workers.start` was given.
 * @returns a promise that resolves when the worker has been told to end, and has.
 */
export async function runWorker<Data>(
  setup: (part: RelayWorker, data: Data) => WorkerRuntime | Promise<WorkerRuntime>,
): Promise<void> {
  const { worker, port, data } = workerData as WorkerStart
  const part = new RelayWorker({ worker, port: nodePort(port), openLink, memory: nodeMemory })
  part.run(await setup(part, data as Data))
  await part.closed
}

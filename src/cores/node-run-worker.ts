/** The thread of a worker. */

import { workerData } from 'node:worker_threads'
import { nodeMemory, nodePort, openLink } from './node-port.ts'
import type { WorkerStart } from './node-workers.ts'
import { type PartParts, WorkerPart } from './worker-part.ts'

/**
 * Runs this thread as a worker of a relay; for entry modules that `Workers.start` is given.
 *
 * @param setup makes what the worker runs, of the data that `Workers.start` was given.
 * @returns a promise that resolves when the worker has been told to end, and has.
 */
export async function runWorker<Data>(
  setup: (part: WorkerPart, data: Data) => PartParts | Promise<PartParts>,
): Promise<void> {
  const { worker, port, data } = workerData as WorkerStart
  const part = new WorkerPart({ worker, port: nodePort(port), openLink, memory: nodeMemory })
  part.run(await setup(part, data as Data))
  await part.closed
}

/** A bare worker thread of a multi-threaded relay. */

import { parentPort } from 'node:worker_threads'
import { tuneGarbageCollection } from '../../src/daemon/garbage-collection.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createHttpListener } from '../../src/listen/node/http-listener.ts'
import { createRelay } from '../../src/relay.ts'
import { runWorker } from '../../src/workers/worker/node-run-worker.ts'

/** Data of each worker. */
export interface WorkerProgramData {
  readonly privateKey: string
  readonly meshKey: string | undefined
  readonly port: number
  /** The thread says so and hangs when this key logs in. */
  readonly hangsOn?: string
}

/** Each thread has its own heap. */
tuneGarbageCollection()

await runWorker<WorkerProgramData>((worker, { privateKey, meshKey, port, hangsOn }) => {
  const relay = createRelay({
    privateKey: NodePrivateKey.parse(privateKey),
    meshKey: meshKey === undefined ? undefined : MeshKey.parse(meshKey),
    worker,
  })
  const { routes, core, http } = relay
  core.events.on('clientConnected', ({ key }) => {
    if (key.toString() !== hangsOn) return
    parentPort?.postMessage('hangs')
    for (;;);
  })
  const listener = createHttpListener({ routes, acceptTimeoutMs: 10_000 })
  return {
    core,
    http,
    listen: () =>
      new Promise((resolve, reject) => {
        listener.server.once('error', reject)
        listener.server.listen({ port, host: '127.0.0.1', reusePort: true }, resolve)
      }),
    stopListening: () => listener.stopListening(),
    close: () => {
      relay.close()
      return listener.close()
    },
  }
})

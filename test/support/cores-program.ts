/**
 * A relay on several cores as a program of its own: `node cores-program.ts WORKERS PORT`, with the mesh key in
 * `TAILSCALE_DERPER_MESH_KEY`. Each worker is a thread that runs this module, too.
 */

import { isMainThread } from 'node:worker_threads'
import { tuneGarbageCollection } from '../../src/cli/garbage-collection.ts'
import { runWorker } from '../../src/cores/node-run-worker.ts'
import { Workers } from '../../src/cores/node-workers.ts'
import { createHttpListener } from '../../src/http/listeners.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createRelay } from '../../src/relay.ts'

/** What each worker is given. */
export interface CoresData {
  readonly privateKey: string
  readonly meshKey: string | undefined
  readonly port: number
}

async function main(): Promise<void> {
  const [count, port] = process.argv.slice(2).map(Number)
  const data: CoresData = {
    privateKey: NodePrivateKey.generate().exportText(),
    meshKey: process.env['TAILSCALE_DERPER_MESH_KEY'],
    port: port ?? 0,
  }
  const log = (message: string, fields?: object) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
  await Workers.start({
    entry: new URL(import.meta.url),
    data,
    count: count ?? 2,
    log: { debug() {}, info: log, warn: log, error: log },
  })
  process.stdout.write(`serving on port ${data.port}\n`)
}

/** Each thread has a heap of its own. */
tuneGarbageCollection()

const worker = () =>
  runWorker<CoresData>((part, { privateKey, meshKey, port }) => {
    const relay = createRelay({
      privateKey: NodePrivateKey.parse(privateKey),
      meshKey: meshKey === undefined ? undefined : MeshKey.parse(meshKey),
      part,
    })
    const { routes, handleUpgrade: upgrade, core, http } = relay
    const listener = createHttpListener({ routes, upgrade, acceptTimeoutMs: 10_000 })
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

await (isMainThread ? main() : worker())

/** Settings of a worker's relay and listener, in a form that can be posted to it. */

import { MeshKey } from '../../keys/mesh-key.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { DaemonSettings } from '../settings.ts'

type SharedSettings = Pick<DaemonSettings, 'relay' | 'listen' | 'debug' | 'pages'>

export interface WorkerSettings extends SharedSettings {
  /** As text: key objects refuse cloning, so that none is leaked by accident. */
  readonly privateKey: string
  readonly meshKey: string | undefined
}

export function workerSettings(
  { relay, listen, debug, pages, mesh, workers }: SharedSettings & Pick<DaemonSettings, 'mesh' | 'workers'>,
  privateKey: NodePrivateKey,
): WorkerSettings {
  // Each worker has an equal part of what all may queue.
  const part = relay.maxQueuedBytes !== undefined && { maxQueuedBytes: Math.ceil(relay.maxQueuedBytes / workers) }
  return {
    relay: { ...relay, ...part },
    listen,
    debug,
    pages,
    privateKey: privateKey.exportText(),
    meshKey: mesh.key?.exportText(),
  }
}

export function workerKeys({ privateKey, meshKey }: WorkerSettings): {
  readonly privateKey: NodePrivateKey
  readonly meshKey: MeshKey | undefined
} {
  return {
    privateKey: NodePrivateKey.parse(privateKey),
    meshKey: meshKey === undefined ? undefined : MeshKey.parse(meshKey),
  }
}

/** What a worker builds its part of the relay and its listener from, as data that can be sent to it. */

import { MeshKey } from '../../keys/mesh-key.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { DaemonSettings } from '../settings.ts'

type SharedSettings = Pick<DaemonSettings, 'relay' | 'listen' | 'debug'>

export interface WorkerSettings extends SharedSettings {
  /** As text: keys cannot be sent, lest they go anywhere by accident. */
  readonly privateKey: string
  readonly meshKey: string | undefined
}

export function workerSettings(
  { relay, listen, debug, mesh, workers }: SharedSettings & Pick<DaemonSettings, 'mesh' | 'workers'>,
  privateKey: NodePrivateKey,
): WorkerSettings {
  // Each worker has an equal part of what all may queue.
  const part = relay.maxQueuedBytes !== undefined && { maxQueuedBytes: Math.ceil(relay.maxQueuedBytes / workers) }
  return {
    relay: { ...relay, ...part },
    listen,
    debug,
    privateKey: privateKey.exportText(),
    meshKey: mesh.key?.exportText(),
  }
}

/** The keys of what came to a worker. */
export function workerKeys({ privateKey, meshKey }: WorkerSettings): {
  readonly privateKey: NodePrivateKey
  readonly meshKey: MeshKey | undefined
} {
  return {
    privateKey: NodePrivateKey.parse(privateKey),
    meshKey: meshKey === undefined ? undefined : MeshKey.parse(meshKey),
  }
}

/** Relays that implement the contracts of `server/ports.ts`: on one thread and on several. */

import { MeshKey } from '../../../src/keys/mesh-key.ts'
import type { RelayCounters } from '../../../src/metrics/counters.ts'
import type { RouteTable } from '../../../src/server/ports.ts'
import type { RelayCore } from '../../../src/server/relay-core.ts'
import { MemoryRelay } from '../../support/memory-relay.ts'
import { atRest, MemoryWorkers } from '../../support/memory-workers.ts'
import type { LoginOptions, RawClient } from '../../support/raw-client.ts'
import { settle } from '../../support/settle.ts'

const MESH_KEY = '3d'.repeat(32)

export interface ContractRelay {
  readonly table: RouteTable
  /** The relay's workers; clients log in to one after the other. */
  readonly cores: readonly RelayCore[]
  login(options?: LoginOptions): Promise<RawClient>
  /** A mesh peer's connection. */
  loginMesh(): Promise<RawClient>
  /** Resolves when all workers are up to date. */
  rest(): Promise<void>
  counters(): Promise<RelayCounters>
}

async function onOneThread(): Promise<ContractRelay> {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  return {
    table: relay.core,
    cores: [relay.core],
    login: options => relay.login(options),
    loginMesh: () => relay.login({ info: { meshKey: MESH_KEY } }),
    rest: settle,
    counters: async () => relay.core.counters,
  }
}

async function onThreeThreads(): Promise<ContractRelay> {
  const workers = await MemoryWorkers.start({ workers: 3, meshKey: MeshKey.parse(MESH_KEY) })
  let logins = 0
  const login = (options?: LoginOptions) => workers.login(logins++ % 3, options)
  return {
    table: workers.coordinator,
    cores: workers.parts.map(({ core }) => core),
    login,
    loginMesh: () => login({ info: { meshKey: MESH_KEY } }),
    rest: () => atRest(workers),
    counters: async () => (await workers.coordinator.source.snapshot()).counters,
  }
}

/** For `test.each`. */
export const RELAYS: readonly (readonly [name: string, start: () => Promise<ContractRelay>])[] = [
  ['one thread', onOneThread],
  ['three threads', onThreeThreads],
]

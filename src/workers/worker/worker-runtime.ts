/** A worker's connections to other threads, and what it runs. */

import type { ConnectionCounters } from '../../metrics/connection-counters.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import type { RelayCore } from '../../server/relay-core.ts'
import type { Post } from '../channel/channel.ts'
import type { ToCoordinator, ToWorker } from '../channel/messages.ts'
import type { Port } from '../channel/port.ts'
import type { BatchMemory } from '../link/link-batch.ts'
import type { OpenLink } from './worker-links.ts'

/** The number of the coordinator among the workers'. */
export const COORDINATOR = -1

/** A worker's connections to other threads. */
export interface WorkerChannels {
  readonly worker: number
  readonly port: Port<Post<ToCoordinator>, Post<ToWorker>>
  readonly openLink: OpenLink
  readonly memory: BatchMemory
}

/** What a worker runs. */
export interface WorkerRuntime {
  /** Created with the worker as its option `worker`, and no admission of its own. */
  readonly core: RelayCore
  /** Counters of HTTP, which the coordinator adds to those of the other workers. */
  readonly http: HttpCounters
  /** Counters of the listeners: those of `AcceptLimits`. Default: none are shown. */
  readonly connections?: ConnectionCounters | undefined
  /** Starts accepting connections; called once the worker has the full state. */
  listen(): Promise<void>
  /** Accepts no more connections; existing ones stay. */
  stopListening(): void
  /** Closes everything. */
  close(): Promise<void>
}

/** What a worker is joined to the others by, and what it runs. */

import type { ConnectionCounters } from '../../metrics/connection-counters.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import type { RelayCore } from '../../server/relay-core.ts'
import type { Post } from '../channel/channel.ts'
import type { ToCoordinator, ToWorker } from '../channel/messages.ts'
import type { Port } from '../channel/port.ts'
import type { BatchMemory } from '../link/link-batch.ts'
import type { OpenLink } from './worker-links.ts'

/** The number that stands for the coordinator among the workers'. */
export const COORDINATOR = -1

/** What a worker is joined to the others by. */
export interface WorkerChannels {
  readonly worker: number
  readonly port: Port<Post<ToCoordinator>, Post<ToWorker>>
  readonly openLink: OpenLink
  readonly memory: BatchMemory
}

/** What a worker runs. */
export interface WorkerRuntime {
  /** Made with {@link RelayWorker.createDirectory}, {@link RelayWorker.admission} and no admission of its own. */
  readonly core: RelayCore
  readonly http: HttpCounters
  readonly connections?: ConnectionCounters | undefined
  /** Takes connections from now on; called once the part knows all. */
  listen(): Promise<void>
  /** Takes no more; those there are stay. */
  stopListening(): void
  /** Ends all and frees all. */
  close(): Promise<void>
}

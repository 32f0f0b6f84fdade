/** Events of a relay on several threads for the embedding program. */

import type { RelayEvents } from '../../server/events.ts'
import type { RemoteMember } from './worker-handle.ts'

/** Events by name. Listeners must be quick and must not throw. */
export interface CoordinatorEvents {
  /** A client has logged in and all workers route to it. */
  readonly clientConnected: RemoteMember
  /** A client's session has ended, for whatever reason. */
  readonly clientDisconnected: RemoteMember
  /** A connection has ended with an error, before or after login. */
  readonly connectionFailed: RelayEvents['connectionFailed']
}

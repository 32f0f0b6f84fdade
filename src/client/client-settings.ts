/** Settings of a client that may change while it is in use. */

import type { MeshKey } from '../keys/mesh-key.ts'
import type { HealthTracker } from './health-reporter.ts'
import type { ClientOptions } from './options.ts'

/** Changes take effect with the next connection or connection attempt. */
export class ClientSettings {
  /** The mesh key, for relays of the mesh and trusted monitors. */
  meshKey: MeshKey | undefined
  /** Whether to tell the relay that this is a prober. */
  isProber: boolean
  /** Name of the application, for the relay's statistics. */
  appName: string | undefined
  /** Whether to be told which clients come and go; needs the mesh key. */
  watchConnectionChanges: boolean
  /** Notified of connections and of problems reported by the relay; a change takes effect at once. */
  healthTracker: HealthTracker | undefined
  /** Returns a signal for each connection attempt; aborting it cancels the attempt. */
  baseContext: (() => AbortSignal) | undefined

  constructor(options: ClientOptions) {
    this.meshKey = options.meshKey
    this.isProber = options.isProber ?? false
    this.appName = options.appName
    this.watchConnectionChanges = options.watchConnectionChanges ?? false
    this.healthTracker = options.healthTracker
    this.baseContext = options.baseContext
  }
}

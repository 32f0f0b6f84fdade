/** What may be changed on a client while it is in use. */

import type { MeshKey } from '../keys/mesh-key.ts'
import type { HealthTracker } from './health-reporter.ts'
import type { ClientOptions } from './options.ts'

/** Changes take effect with the next connection, or the next attempt to make one. */
export class ClientSettings {
  /** The mesh's secret, for relays of the mesh and trusted monitors. */
  meshKey: MeshKey | undefined
  /** Whether to tell the relay that this is a prober. */
  isProber: boolean
  /** Name of the application, for the relay's statistics. */
  appName: string | undefined
  /** Whether to be told which clients come and go; needs the mesh key. */
  watchConnectionChanges: boolean
  /** Told of connections and of what the relay says about them; a change takes effect at once. */
  healthTracker: HealthTracker | undefined
  /** Gives a signal for each attempt to connect; aborting it ends the attempt. */
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

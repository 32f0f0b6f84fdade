/** Events of a relay for the embedding program. */

import type { AddressPort } from '../lib/address-port.ts'
import type { DerpErrorCode } from '../lib/derp-error.ts'
import type { Session } from './session.ts'

/** Events by name. Listeners run on the packet path: they must be quick and must not throw. */
export interface RelayEvents {
  /** A client has logged in and is reachable. */
  readonly clientConnected: Session
  /** A client's session has ended, for whatever reason. */
  readonly clientDisconnected: Session
  /** A connection has ended with an error, before or after login. */
  readonly connectionFailed: {
    /** What happened. */
    readonly code: DerpErrorCode
    /** What happened, in words. */
    readonly reason: string
    /** The client's address, if known. */
    readonly remote: AddressPort | undefined
  }
}

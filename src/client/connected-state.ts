/** What a client reports about its connection. */

import type { AddressPort } from '../lib/address-port.ts'

/** The connection of a client, as it is known at the moment. */
export interface ConnectedState {
  /** There is a connection, as far as is known. */
  readonly connected: boolean
  /** A connection attempt is in progress. */
  readonly connecting: boolean
  /** The client has been closed for good. */
  readonly closed: boolean
  /** The local end of the connection; undefined without one, or if the transport does not know it. */
  readonly localAddr: AddressPort | undefined
}

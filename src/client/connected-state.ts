/** What a client tells of its connection. */

import type { AddressPort } from '../lib/address-port.ts'

export interface ConnectedState {
  /** There is a connection, as far as is known. */
  readonly connected: boolean
  /** One is being made. */
  readonly connecting: boolean
  /** The client was closed, for good. */
  readonly closed: boolean
  /** Our end of the connection; undefined without one, and where the transport does not know it. */
  readonly localAddr: AddressPort | undefined
}

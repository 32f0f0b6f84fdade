/** What a client needs from its platform, declared by its consumer. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { Conn } from '../transport/conn.ts'

/** Where to, and for how long. */
export interface DialRequest {
  /** An http or https URL (P-200). */
  readonly url: URL
  /** Ends the attempt, and everything it has opened, when aborted; its reason says why. */
  readonly signal: AbortSignal
}

/** What is known of the TLS connection below a {@link Conn}. */
export interface TlsConnectionState {
  /** Such as `TLSv1.3`. */
  readonly version: string
  /** Such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string
  /** Name that was sent to the server; undefined for IP addresses. */
  readonly serverName: string | undefined
}

/** A connection on which the next bytes are DERP's. */
export interface DialedConn {
  /** Not opened yet. */
  readonly conn: Conn
  /**
   * The relay's key, when the transport has learned it: the client then sends ClientInfo without waiting for
   * ServerKey (P-122). A transport may hold back its request until that first write, so that both leave together.
   */
  readonly serverKey?: NodePublicKey | undefined
  /** Present over TLS. */
  readonly tls?: TlsConnectionState | undefined
}

/** Opens connections to relays: over sockets in Node, over WebSockets in browsers, in memory in tests. */
export interface ClientTransport {
  /** Rejects with a DerpError where it can tell what went wrong; any other error is wrapped by the client. */
  dial(request: DialRequest): Promise<DialedConn>
}

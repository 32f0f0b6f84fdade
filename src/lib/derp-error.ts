/** The closed union of error codes; errors are distinguished by code, never by text. */

/**
 * Codes of {@link DerpError}. "Relay" marks those that only a relay, its log and its metrics have.
 *
 * The same call fails again after `CLIENT_CLOSED`, `CONFIG_INVALID`, `KEY_INVALID`, `PACKET_TOO_LONG` and `URL_INVALID`;
 * after all others it may succeed later.
 */
export type DerpErrorCode =
  /** The signal of the call was aborted. */
  | 'ERR_DERP_ABORTED'
  /** Relay: its rules refuse this client. */
  | 'ERR_DERP_ADMISSION_DENIED'
  /** Relay: too much waits for all clients together, and most of it for this one. */
  | 'ERR_DERP_BACKLOG_FULL'
  /** An ACME authority issued no certificate. */
  | 'ERR_DERP_CERTIFICATE_FAILED'
  /** The client was closed by `close`. */
  | 'ERR_DERP_CLIENT_CLOSED'
  /** There is no connection, and the call does not make one or has waited long enough. */
  | 'ERR_DERP_CLIENT_NOT_CONNECTED'
  /** An option, flag or setting is unusable. */
  | 'ERR_DERP_CONFIG_INVALID'
  /** The connection has ended. During the login, most likely the relay does not admit this client. */
  | 'ERR_DERP_CONN_CLOSED'
  /** No connection could be made; the cause says why. */
  | 'ERR_DERP_DIAL_FAILED'
  /** No connection was made in time. */
  | 'ERR_DERP_DIAL_TIMEOUT'
  /** The host name could not be resolved. */
  | 'ERR_DERP_DNS_FAILED'
  /** The peer sent a frame longer than its type allows. */
  | 'ERR_DERP_FRAME_TOO_LONG'
  /** The peer sent a frame shorter than its type allows. */
  | 'ERR_DERP_FRAME_TOO_SHORT'
  /** The peer sent another frame than the login requires. */
  | 'ERR_DERP_FRAME_UNEXPECTED'
  /** A key is malformed, all zero, or of low order. */
  | 'ERR_DERP_KEY_INVALID'
  /** The box of the login does not open: it was sealed with other keys, or changed on the way. */
  | 'ERR_DERP_LOGIN_BOX_FORGED'
  /** Relay: an internal error ended the login. */
  | 'ERR_DERP_LOGIN_FAILED'
  /** The JSON of the login is malformed. */
  | 'ERR_DERP_LOGIN_INFO_MALFORMED'
  /** The relay has another key than its certificate announced. */
  | 'ERR_DERP_LOGIN_KEY_WRONG'
  /** The greeting is not that of a DERP relay. */
  | 'ERR_DERP_LOGIN_MAGIC_WRONG'
  /** The login was not complete in time. */
  | 'ERR_DERP_LOGIN_TIMEOUT'
  /** A DERP map cannot be parsed. */
  | 'ERR_DERP_MAP_INVALID'
  /** Relay: a mesh peer announced more clients than allowed. */
  | 'ERR_DERP_MESH_FULL'
  /** A node of a DERP map cannot be connected to as it is described. */
  | 'ERR_DERP_NODE_INVALID'
  /** A packet exceeds 64 KiB; nothing was sent. */
  | 'ERR_DERP_PACKET_TOO_LONG'
  /** Relay: a client without the mesh key sent a frame that needs it. */
  | 'ERR_DERP_PERMISSION_MISSING'
  /** No Pong arrived in time. */
  | 'ERR_DERP_PING_TIMEOUT'
  /** A probe of a relay failed. */
  | 'ERR_DERP_PROBE_FAILED'
  /** The proxy could not be reached, or did not answer in HTTP. */
  | 'ERR_DERP_PROXY_FAILED'
  /** The proxy refused to open a tunnel. */
  | 'ERR_DERP_PROXY_REFUSED'
  /** Nothing arrived from the relay for too long. */
  | 'ERR_DERP_READ_TIMEOUT'
  /** The region has no usable node. */
  | 'ERR_DERP_REGION_EMPTY'
  /** There is no such region at present. */
  | 'ERR_DERP_REGION_UNAVAILABLE'
  /** A worker or its coordinator has ended. */
  | 'ERR_DERP_RELAY_CLOSED'
  /** Relay: the limit on clients is reached. */
  | 'ERR_DERP_RELAY_FULL'
  /** STUN: a response could not be sent fast enough and was dropped. */
  | 'ERR_DERP_STUN_BACKLOG'
  /** STUN: the server had been closed. */
  | 'ERR_DERP_STUN_CLOSED'
  /** STUN: no response in time. */
  | 'ERR_DERP_STUN_TIMEOUT'
  /** STUN: the host has no address, or the network rejected the packets. */
  | 'ERR_DERP_STUN_UNREACHABLE'
  /** One `derper` could not take over from another. */
  | 'ERR_DERP_TAKEOVER_FAILED'
  /** The TLS handshake or a certificate check failed. */
  | 'ERR_DERP_TLS_FAILED'
  /** The response to the upgrade request is not HTTP. */
  | 'ERR_DERP_UPGRADE_MALFORMED'
  /** The relay, or something in its place, does not upgrade the connection. */
  | 'ERR_DERP_UPGRADE_REFUSED'
  /** A relay URL is not an http or https URL. */
  | 'ERR_DERP_URL_INVALID'
  /** Writing to the connection failed. */
  | 'ERR_DERP_WRITE_FAILED'
  /** The peer did not take a write in time. */
  | 'ERR_DERP_WRITE_TIMEOUT'

/** Optional details of an error. */
export interface DerpErrorDetails {
  /** The id of the violated clause of docs/understand/protocol/. */
  readonly clause?: string
  /** The underlying failure. */
  readonly cause?: unknown
}

/**
 * Base class of all errors of this package. The message gives action, value and reason.
 *
 * @example
 * ```ts
 * try {
 *   await new Client(privateKey, url).connect()
 * } catch (error) {
 *   if (error instanceof DerpError) console.log(error.code, error.message, error.cause)
 * }
 * ```
 */
export class DerpError extends Error {
  /** What happened; tell errors apart by it, not by the message. */
  readonly code: DerpErrorCode
  /** The id of the violated clause of docs/understand/protocol/; undefined if none was. */
  readonly clause: string | undefined

  /** @param message action, value, a colon and the reason, without a final stop. */
  constructor(code: DerpErrorCode, message: string, details: DerpErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = code
    this.clause = details.clause
  }
}

/**
 * Bytes from the peer that violate the wire protocol; the connection ends.
 *
 * @example
 * ```ts
 * try {
 *   parseServerInfo(bytes)
 * } catch (error) {
 *   if (error instanceof ProtocolError) console.log(error.code, error.clause)
 * }
 * ```
 */
export class ProtocolError extends DerpError {}

/**
 * Whether `error` is a {@link DerpError}, with the given code if any.
 *
 * @example
 * ```ts
 * const client = new Client(privateKey, url)
 * await client.recv().catch(error => {
 *   if (!isDerpError(error, 'ERR_DERP_CLIENT_CLOSED')) throw error
 * })
 * ```
 */
export function isDerpError(error: unknown, code?: DerpErrorCode): error is DerpError {
  return error instanceof DerpError && (code === undefined || error.code === code)
}

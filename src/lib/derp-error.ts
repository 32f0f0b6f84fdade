/** The closed union of error codes; errors are distinguished by code, never by text. */

/** Codes of {@link DerpError}. */
export type DerpErrorCode =
  | 'ERR_DERP_ABORTED'
  | 'ERR_DERP_ADMISSION_DENIED'
  | 'ERR_DERP_BACKLOG_FULL'
  | 'ERR_DERP_CERTIFICATE_FAILED'
  | 'ERR_DERP_CLIENT_CLOSED'
  | 'ERR_DERP_CLIENT_NOT_CONNECTED'
  | 'ERR_DERP_CONFIG_INVALID'
  | 'ERR_DERP_CONN_CLOSED'
  | 'ERR_DERP_DIAL_FAILED'
  | 'ERR_DERP_DIAL_TIMEOUT'
  | 'ERR_DERP_DNS_FAILED'
  | 'ERR_DERP_FRAME_TOO_LONG'
  | 'ERR_DERP_FRAME_TOO_SHORT'
  | 'ERR_DERP_FRAME_UNEXPECTED'
  | 'ERR_DERP_KEY_INVALID'
  | 'ERR_DERP_LOGIN_BOX_FORGED'
  | 'ERR_DERP_LOGIN_FAILED'
  | 'ERR_DERP_LOGIN_INFO_MALFORMED'
  | 'ERR_DERP_LOGIN_KEY_WRONG'
  | 'ERR_DERP_LOGIN_MAGIC_WRONG'
  | 'ERR_DERP_LOGIN_TIMEOUT'
  | 'ERR_DERP_MAP_INVALID'
  | 'ERR_DERP_MESH_FULL'
  | 'ERR_DERP_NODE_INVALID'
  | 'ERR_DERP_PACKET_TOO_LONG'
  | 'ERR_DERP_PERMISSION_MISSING'
  | 'ERR_DERP_PING_TIMEOUT'
  | 'ERR_DERP_PROBE_FAILED'
  | 'ERR_DERP_PROXY_FAILED'
  | 'ERR_DERP_PROXY_REFUSED'
  | 'ERR_DERP_READ_TIMEOUT'
  | 'ERR_DERP_REGION_EMPTY'
  | 'ERR_DERP_REGION_UNAVAILABLE'
  | 'ERR_DERP_RELAY_CLOSED'
  | 'ERR_DERP_RELAY_FULL'
  | 'ERR_DERP_STUN_BACKLOG'
  | 'ERR_DERP_STUN_CLOSED'
  | 'ERR_DERP_STUN_TIMEOUT'
  | 'ERR_DERP_STUN_UNREACHABLE'
  | 'ERR_DERP_TAKEOVER_FAILED'
  | 'ERR_DERP_TLS_FAILED'
  | 'ERR_DERP_UPGRADE_MALFORMED'
  | 'ERR_DERP_UPGRADE_REFUSED'
  | 'ERR_DERP_URL_INVALID'
  | 'ERR_DERP_WRITE_FAILED'
  | 'ERR_DERP_WRITE_TIMEOUT'

/** Optional details of an error. */
export interface DerpErrorDetails {
  /** The violated clause of docs/understand/protocol/, such as `P-003`. */
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
  readonly code: DerpErrorCode
  readonly clause: string | undefined

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

/** What a client says about itself at login (P-033). */

import { PROTOCOL_VERSION } from './constants.ts'
import { formatInfo, parseInfo } from './info-json.ts'

/** What a client says about itself when it logs in. */
export interface ClientInfo {
  /** Protocol version; any number is accepted. Absent from very old clients. */
  readonly version?: number
  /** The mesh key in hex, from mesh peers and trusted monitors. Compare only with {@link MeshKey.matches}. */
  readonly meshKey?: string
  /** Whether the client replies to pings from the server. */
  readonly canAckPings: boolean
  /** Whether the client claims to be a prober; not trustworthy, so never use it for admission. */
  readonly isProber: boolean
  /** Application name, 1 to 32 printable ASCII characters, for statistics; sent by releases after 1.84. */
  readonly appName?: string
}

const SCHEMA = {
  meshKey: 'string',
  version: 'integer',
  CanAckPings: 'boolean',
  IsProber: 'boolean',
  AppName: 'any',
} as const

/** What relays keep as the name of an application. */
export const APP_NAME: RegExp = /^[ -~]{1,32}$/

/**
 * JSON as the original writes it: empty fields are omitted, except `CanAckPings`.
 *
 * @example
 * ```ts
 * const json = formatClientInfo({ canAckPings: true, isProber: false, appName: 'chat' })
 * ```
 */
export function formatClientInfo(info: Omit<ClientInfo, 'version'>): Uint8Array {
  return formatInfo({
    meshKey: info.meshKey || undefined,
    version: PROTOCOL_VERSION,
    CanAckPings: info.canAckPings,
    IsProber: info.isProber || undefined,
    AppName: info.appName || undefined,
  })
}

/**
 * Parses the JSON.
 *
 * @throws ProtocolError if it is malformed.
 * @example
 * ```ts
 * const { version, appName } = parseClientInfo(new TextEncoder().encode('{"version":2,"AppName":"chat"}'))
 * ```
 */
export function parseClientInfo(json: Uint8Array): ClientInfo {
  const fields = parseInfo(json, SCHEMA, { what: 'ClientInfo', clause: 'P-033' })
  // 1.84.1 does not know this field: whatever it holds, the login continues.
  const appName = typeof fields.AppName === 'string' && APP_NAME.test(fields.AppName) ? fields.AppName : undefined
  return {
    ...(fields.version !== undefined && { version: fields.version }),
    ...(fields.meshKey !== undefined && { meshKey: fields.meshKey }),
    ...(appName !== undefined && { appName }),
    canAckPings: fields.CanAckPings ?? false,
    isProber: fields.IsProber ?? false,
  }
}

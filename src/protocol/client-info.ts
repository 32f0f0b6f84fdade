/** What a client says of itself at login (P-033). */

import { PROTOCOL_VERSION } from './constants.ts'
import { formatInfo, parseInfo } from './info-json.ts'

export interface ClientInfo {
  /** Protocol version; any number is accepted. Absent from very old clients. */
  readonly version?: number
  /** The mesh key in hex, from relays of the mesh and trusted monitors. Compare it by {@link MeshKey} only. */
  readonly meshKey?: string
  /** The client answers the server's pings. */
  readonly canAckPings: boolean
  /** The client says that it is a prober: its own word, worth nothing for admission. */
  readonly isProber: boolean
  /** Name of the application, 1 to 32 printable ASCII characters, for statistics; sent by releases after 1.84. */
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

/** JSON as the original writes it: empty fields are left out, but never `CanAckPings`. */
export function formatClientInfo(info: Omit<ClientInfo, 'version'>): Uint8Array {
  return formatInfo({
    meshKey: info.meshKey || undefined,
    version: PROTOCOL_VERSION,
    CanAckPings: info.canAckPings,
    IsProber: info.isProber || undefined,
    AppName: info.appName || undefined,
  })
}

/** Reads the JSON. @throws ProtocolError as {@link parseInfo} does. */
export function parseClientInfo(json: Uint8Array): ClientInfo {
  const fields = parseInfo(json, SCHEMA, { what: 'ClientInfo', clause: 'P-033' })
  // 1.84.1 does not know the field: whatever it holds, the login goes on.
  const appName = typeof fields.AppName === 'string' && APP_NAME.test(fields.AppName) ? fields.AppName : undefined
  return {
    ...(fields.version !== undefined && { version: fields.version }),
    ...(fields.meshKey !== undefined && { meshKey: fields.meshKey }),
    ...(appName !== undefined && { appName }),
    canAckPings: fields.CanAckPings ?? false,
    isProber: fields.IsProber ?? false,
  }
}

/** What a server says of itself at login (P-034). */

import { PROTOCOL_VERSION } from './constants.ts'
import { formatInfo, parseInfo } from './info-json.ts'

export interface ServerInfo {
  /** Protocol version; absent from very old servers. */
  readonly version?: number
  /** Bytes per second that the server will take, framing included; 0 when it does not say. */
  readonly tokenBucketBytesPerSecond: number
  /** Bytes that may come at once above that rate; 0 when it does not say. */
  readonly tokenBucketBytesBurst: number
}

const SCHEMA = {
  version: 'integer',
  TokenBucketBytesPerSecond: 'integer',
  TokenBucketBytesBurst: 'integer',
} as const

/** JSON as the original writes it: zero fields are left out. */
export function formatServerInfo(info: Omit<ServerInfo, 'version'>): Uint8Array {
  return formatInfo({
    version: PROTOCOL_VERSION,
    TokenBucketBytesPerSecond: info.tokenBucketBytesPerSecond || undefined,
    TokenBucketBytesBurst: info.tokenBucketBytesBurst || undefined,
  })
}

/** Reads the JSON. @throws ProtocolError as {@link parseInfo} does. */
export function parseServerInfo(json: Uint8Array): ServerInfo {
  const fields = parseInfo(json, SCHEMA, { what: 'ServerInfo', clause: 'P-034' })
  return {
    ...(fields.version !== undefined && { version: fields.version }),
    tokenBucketBytesPerSecond: fields.TokenBucketBytesPerSecond ?? 0,
    tokenBucketBytesBurst: fields.TokenBucketBytesBurst ?? 0,
  }
}

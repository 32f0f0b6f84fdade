/** What a server says about itself at login (P-034). */

import { PROTOCOL_VERSION } from './constants.ts'
import { formatInfo, parseInfo } from './info-json.ts'

/** What a server says when it admits a client. */
export interface ServerInfo {
  /** Protocol version; absent from very old servers. */
  readonly version?: number
  /** Bytes per second, framing included, that the server accepts; 0 if it does not say. */
  readonly tokenBucketBytesPerSecond: number
  /** Burst in bytes above that rate; 0 if it does not say. */
  readonly tokenBucketBytesBurst: number
}

const SCHEMA = {
  version: 'integer',
  TokenBucketBytesPerSecond: 'integer',
  TokenBucketBytesBurst: 'integer',
} as const

/**
 * JSON as the original writes it: zero fields are omitted.
 *
 * @example
 * ```ts
 * const json = formatServerInfo({ tokenBucketBytesPerSecond: 1_000_000, tokenBucketBytesBurst: 2_000_000 })
 * ```
 */
export function formatServerInfo(info: Omit<ServerInfo, 'version'>): Uint8Array {
  return formatInfo({
    version: PROTOCOL_VERSION,
    TokenBucketBytesPerSecond: info.tokenBucketBytesPerSecond || undefined,
    TokenBucketBytesBurst: info.tokenBucketBytesBurst || undefined,
  })
}

/**
 * Parses the JSON.
 *
 * @throws ProtocolError if it is malformed.
 * @example
 * ```ts
 * const { version } = parseServerInfo(new TextEncoder().encode('{"version":2}'))
 * ```
 */
export function parseServerInfo(json: Uint8Array): ServerInfo {
  const fields = parseInfo(json, SCHEMA, { what: 'ServerInfo', clause: 'P-034' })
  return {
    ...(fields.version !== undefined && { version: fields.version }),
    tokenBucketBytesPerSecond: fields.TokenBucketBytesPerSecond ?? 0,
    tokenBucketBytesBurst: fields.TokenBucketBytesBurst ?? 0,
  }
}

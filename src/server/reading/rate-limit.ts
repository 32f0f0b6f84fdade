/** Limits how fast a client may send: by pausing reads, never by dropping (P-103). */

import { DerpError } from '../../lib/derp-error.ts'
import { TokenBucket } from '../../lib/rate/token-bucket.ts'
import { KEY_LENGTH, MAX_PACKET_LENGTH } from '../../protocol/constants.ts'

/** Maximum charge per frame and minimum burst: one whole SendPacket frame. */
export const WHOLE_FRAME_BYTES: number = KEY_LENGTH + MAX_PACKET_LENGTH

/** Minimum charge per frame, message or read: each costs the relay more than its bytes. */
export const MIN_CHARGE_BYTES: number = KEY_LENGTH

/** A limit on what each client sends; sessions with the mesh key are exempt. */
export interface RateLimit {
  /** Bytes per second, frame headers excluded. */
  readonly bytesPerSecond: number
  /** Burst in bytes; raised to at least one whole frame. */
  readonly burstBytes: number
}

/** Bytes charged for a frame with this body length. */
export function frameCost(length: number): number {
  return Math.min(Math.max(length, MIN_CHARGE_BYTES), WHOLE_FRAME_BYTES)
}

/** Charges one client's frames. */
export class ReadLimit {
  readonly #bucket: TokenBucket

  constructor(limit: RateLimit, nowMs: number) {
    const burst = Math.max(limit.burstBytes, WHOLE_FRAME_BYTES)
    this.#bucket = new TokenBucket({ perSecond: limit.bytesPerSecond, burst }, nowMs)
  }

  /** Milliseconds to wait before something of this cost may be handled. */
  charge(costBytes: number, nowMs: number): number {
    return this.#bucket.reserve(costBytes, nowMs)
  }
}

const FIELDS = { perclientratelimitbytespersec: 'bytesPerSecond', perclientrateburstbytes: 'burstBytes' } as const

/**
 * Parses the JSON of a `-rate-config` file; undefined if it sets no limit.
 *
 * @throws DerpError for anything but an object of the known numbers.
 */
export function parseRateConfig(text: string): RateLimit | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw invalid('not JSON', cause)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalid('not a JSON object')
  const limit = { bytesPerSecond: 0, burstBytes: 0 }
  for (const [name, value] of Object.entries(parsed)) {
    const field = FIELDS[name.toLowerCase() as keyof typeof FIELDS]
    if (field === undefined)
      throw invalid(`"${name}" is none of its fields, PerClientRateLimitBytesPerSec and PerClientRateBurstBytes`)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw invalid(`"${name}" is ${JSON.stringify(value)}, not a whole number of bytes`)
    }
    limit[field] = value
  }
  return limit.bytesPerSecond === 0 ? undefined : limit
}

const invalid = (reason: string, cause?: unknown) =>
  new DerpError('ERR_DERP_CONFIG_INVALID', `parse rate config: ${reason}`, { clause: 'P-103', cause })

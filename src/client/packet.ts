/** Checks of what callers want sent, before a connection is touched. */

import { DerpError } from '../lib/derp-error.ts'
import { MAX_PACKET_LENGTH, PING_LENGTH } from '../protocol/constants.ts'

/** @throws DerpError for a packet over 64 KiB (P-052), TypeError for what are no bytes. */
export function assertPacket(action: string, data: Uint8Array): void {
  assertBytes(action, data)
  if (data.length <= MAX_PACKET_LENGTH) return
  throw new DerpError('ERR_DERP_PACKET_TOO_LONG', `${action} of ${data.length} bytes: more than ${MAX_PACKET_LENGTH}`, {
    clause: 'P-052',
  })
}

/** @throws RangeError unless there are exactly eight bytes (P-091), TypeError for what are no bytes. */
export function assertPingPayload(action: string, payload: Uint8Array): void {
  assertBytes(action, payload)
  if (payload.length !== PING_LENGTH) {
    throw new RangeError(`${action} of ${payload.length} bytes: not exactly ${PING_LENGTH}`)
  }
}

function assertBytes(action: string, data: unknown): void {
  if (!(data instanceof Uint8Array)) throw new TypeError(`${action} of type ${typeof data}: not a Uint8Array`)
}

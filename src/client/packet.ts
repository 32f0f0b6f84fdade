/** Checks of what callers hand in, before a connection is touched: a mistake names the call and the argument. */

import { argumentError } from '../keys/argument-error.ts'
import { NodePublicKey } from '../keys/public-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import { MAX_PACKET_LENGTH, PING_LENGTH } from '../protocol/constants.ts'

/** @throws DerpError for a packet over 64 KiB (P-052), TypeError for anything but bytes. */
export function assertPacket(action: string, data: Uint8Array): void {
  assertBytes(action, data)
  if (data.length <= MAX_PACKET_LENGTH) return
  throw new DerpError('ERR_DERP_PACKET_TOO_LONG', `${action} of ${data.length} bytes: more than ${MAX_PACKET_LENGTH}`, {
    clause: 'P-052',
  })
}

/** @throws RangeError unless there are exactly eight bytes (P-091), TypeError for anything but bytes. */
export function assertPingPayload(action: string, payload: Uint8Array): void {
  assertBytes(action, payload)
  if (payload.length !== PING_LENGTH) {
    throw new RangeError(`${action} of ${payload.length} bytes: not exactly ${PING_LENGTH}`)
  }
}

/** @throws TypeError unless it is a public key. */
export function assertPublicKey(action: string, argument: string, key: unknown): void {
  if (key instanceof NodePublicKey) return
  throw argumentError(action, argument, key, 'a NodePublicKey', 'NodePublicKey.parse reads text')
}

function assertBytes(action: string, data: unknown): void {
  if (data instanceof Uint8Array) return
  throw argumentError(action, 'data', data, 'a Uint8Array', 'new TextEncoder().encode makes one')
}

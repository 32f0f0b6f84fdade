/** Checks of what callers hand in, before a connection is touched: a mistake names the call and the argument. */

import { PrivateKey } from '../keys/private-key.ts'
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
  const mend = typeof key === 'string' ? '; NodePublicKey.parse reads text' : ''
  throw new TypeError(`${action}: ${argument} is ${typeName(key)}, not a NodePublicKey${mend}`)
}

/** @throws TypeError unless it is a private key. */
export function assertPrivateKey(action: string, key: unknown): void {
  if (key instanceof PrivateKey) return
  const mend = typeof key === 'string' ? '; NodePrivateKey.parse reads text' : ''
  throw new TypeError(`${action}: privateKey is ${typeName(key)}, not a NodePrivateKey${mend}`)
}

function assertBytes(action: string, data: unknown): void {
  if (!(data instanceof Uint8Array)) throw new TypeError(`${action}: data is ${typeName(data)}, not a Uint8Array`)
}

/** `a string`, `undefined`, `an ArrayBuffer`: never the value, which may be a secret. */
function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  const name = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

/** Login times, which decide between connections of one key on several relays (P-301, P-302). */

import type { NodePublicKey } from '../keys/node-key.ts'

/** A relay of the region: the first 16 hex digits of its public key. */
export type RelayId = string

const RELAY_ID_LENGTH = 16
const RELAY_ID = /^[0-9a-f]{16}$/

/** The time of a login by the {@link HybridClock} of its relay. */
export interface Stamp {
  readonly time: number
  readonly relay: RelayId
}

/** The time of a route learned from a packet: older than every login. */
export const UNKNOWN_TIME = 0

export function relayIdOf(key: NodePublicKey): RelayId {
  return key.toHex().slice(0, RELAY_ID_LENGTH)
}

export function isRelayId(text: string): text is RelayId {
  return RELAY_ID.test(text)
}

/** Whether `one` is the later login; ties are broken by relay id. */
export function isNewer(one: Stamp, other: Stamp): boolean {
  return one.time > other.time || (one.time === other.time && one.relay > other.relay)
}

/** Presence changes in transferable form. */

import { NodePublicKey } from '../../keys/node-key.ts'
import type { AddressPort } from '../../lib/address-port.ts'
import type { PresenceChange } from '../../server/registry.ts'

/** A {@link PresenceChange} with its key as bytes. */
export type PresenceMessage =
  | {
      readonly present: true
      readonly peer: Uint8Array
      readonly address: AddressPort | undefined
      readonly flags: number
      readonly appName: string | undefined
    }
  | { readonly present: false; readonly peer: Uint8Array }

export function toPresenceMessage(change: PresenceChange): PresenceMessage {
  return { ...change, peer: change.peer.bytes }
}

export function toPresenceChange(message: PresenceMessage): PresenceChange {
  return { ...message, peer: NodePublicKey.fromBytes(message.peer) }
}

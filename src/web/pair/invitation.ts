/**
 * The link by which a second tab finds the first: key and secret are in the fragment, which is not sent to servers.
 * Pure.
 */

import { NodePublicKey } from '../../keys/public-key.ts'

export interface Invitation {
  /** The key of the tab that made it. */
  readonly key: NodePublicKey
  /** Proves that a guest has the link; the key alone does not, because relays know it. */
  readonly secret: Uint8Array
}

export const SECRET_BYTES = 16

export function formatInvitation({ key, secret }: Invitation): string {
  return `#${String(key).replace('nodekey:', '')}.${toHex(secret)}`
}

/** @param hash of an address. @returns undefined if it holds none. */
export function parseInvitation(hash: string): Invitation | undefined {
  const [, key = '', secret = ''] = /^#([0-9a-f]{64})\.([0-9a-f]{32})$/.exec(hash) ?? []
  if (key === '') return undefined
  return {
    key: NodePublicKey.parse(`nodekey:${key}`),
    secret: Uint8Array.from(secret.match(/../g) ?? [], hex => Number.parseInt(hex, 16)),
  }
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

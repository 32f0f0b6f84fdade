/** The flags of a client that watchers get with its key and address (P-071). */

import type { ClientInfo } from '../protocol/client-info.ts'
import { PeerPresentFlag } from '../protocol/messages.ts'

/** The client described by the flags. */
export interface FlaggedClient {
  readonly info: ClientInfo
  readonly canMesh: boolean
  readonly notIdeal: boolean
}

/** Flag bits of PeerPresent. */
export function presenceFlags({ info, canMesh, notIdeal }: FlaggedClient): number {
  const flags =
    (info.isProber ? PeerPresentFlag.Prober : 0) |
    (canMesh ? PeerPresentFlag.MeshPeer : 0) |
    (notIdeal ? PeerPresentFlag.NotIdeal : 0)
  return flags === 0 ? PeerPresentFlag.Regular : flags
}

/** A route to a peer whose link has a bug: whatever is sent there throws. */

import type { NodePublicKey } from '../../src/keys/public-key.ts'
import type { MemoryRelay } from './memory-relay.ts'

export function addBrokenLink(relay: MemoryRelay, peer: NodePublicKey): void {
  const destination = {
    local: undefined,
    takeSendPacket() {
      throw new TypeError('bug of the link')
    },
  }
  relay.core.addLink({ destinationFor: () => destination }).announce(peer)
}

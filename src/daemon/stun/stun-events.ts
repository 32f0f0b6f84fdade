/** Logs events of the STUN thread. */

import type { Log } from '../../lib/log.ts'
import type { StunMainCalls } from './stun-calls.ts'

export function stunEvents(log: Log): StunMainCalls {
  return {
    // Debug level: anybody can provoke these with a forged source address. They are counted.
    failed: (reason, during) => log.debug('STUN exchange failed', { during, reason }),
    bridge: ({ address: bridge, requests, fromBridge }) =>
      log.warn(
        'nearly all STUN requests come from a container bridge: clients see its address as their own; use host networking',
        { bridge, requests, fromBridge },
      ),
  }
}

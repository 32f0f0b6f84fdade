/** The daemon's STUN server, from its settings. */

import type { Log } from '../lib/log.ts'
import type { StunServerOptions } from '../stun/server.ts'
import type { WantedPort } from './bind.ts'
import type { StunSettings } from './settings.ts'

/** The UDP port to bind. */
export function wantedStunPort({ host, port }: StunSettings): WantedPort {
  return { host, port, flag: 'stun-port', protocol: 'udp' }
}

export function stunOptions(stun: StunSettings, log: Log): StunServerOptions {
  return {
    ...stun,
    // Debug level: anybody can provoke these with a forged source address. They are counted.
    onError: (error, action) => log.debug('STUN exchange failed', { action, reason: error.message }),
    onBridge: ({ address: bridge, requests, fromBridge }) =>
      log.warn(
        'nearly all STUN requests come from a container bridge: clients see its address as their own; use host networking',
        { bridge, requests, fromBridge },
      ),
  }
}

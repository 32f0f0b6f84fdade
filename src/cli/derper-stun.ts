/** The daemon's STUN server. */

import type { Log } from '../lib/log.ts'
import { createStunServer, type StunServer } from '../stun/server.ts'
import type { WantedPort } from './bind.ts'
import type { DerperSettings } from './derper-settings.ts'

/** The UDP port that `settings` ask for, if any. */
export function wantedStunPort({ address, stun }: DerperSettings): WantedPort | undefined {
  return stun && { host: address.host, port: stun.port, flag: 'stun-port', protocol: 'udp' }
}

/** Undefined for no STUN. Binds nothing yet. */
export function createDaemonStun({ address, stun }: DerperSettings, log: Log): StunServer | undefined {
  if (stun === undefined) return undefined
  return createStunServer({
    ...stun,
    host: address.host,
    // Anybody can provoke these by a forged source; they are counted.
    onError: (error, action) => log.debug('STUN exchange failed', { action, reason: error.message }),
    onBridge: ({ address: bridge, requests }) =>
      log.warn(
        'every STUN request comes from a container bridge: clients read its address as theirs; use host networking',
        { bridge, requests },
      ),
  })
}

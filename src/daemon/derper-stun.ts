/** The daemon's STUN server, from its settings. */

import type { DerperSettings } from '../cli/derper/derper-settings.ts'
import type { Log } from '../lib/log.ts'
import type { StunServerOptions } from '../stun/server.ts'
import type { WantedPort } from './bind.ts'

type Settings = Pick<DerperSettings, 'address' | 'stun'>

/** The UDP port that `settings` ask for, if any. */
export function wantedStunPort({ address, stun }: Settings): WantedPort | undefined {
  return stun && { host: address.host, port: stun.port, flag: 'stun-port', protocol: 'udp' }
}

/** What the server is made with; undefined for none. */
export function stunOptions({ address, stun }: Settings, log: Log): StunServerOptions | undefined {
  if (stun === undefined) return undefined
  return {
    ...stun,
    host: address.host,
    // Anybody can provoke these by a forged source; they are counted.
    onError: (error, action) => log.debug('STUN exchange failed', { action, reason: error.message }),
    onBridge: ({ address: bridge, requests }) =>
      log.warn(
        'every STUN request comes from a container bridge: clients read its address as theirs; use host networking',
        { bridge, requests },
      ),
  }
}

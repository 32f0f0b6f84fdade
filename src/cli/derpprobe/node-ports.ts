/** How probes reach relays: over sockets, with Node's TLS. */

import { randomBytes } from 'node:crypto'
import { NodeClient } from '../../client/node/node-client.ts'
import { NodeTransport } from '../../client/node/node-dial.ts'
import type { ProxyEnv } from '../../client/node/node-proxy-rules.ts'
import type { DERPNode, DERPRegion } from '../../derpmap/types.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { Clock } from '../../lib/clock.ts'
import { DerpError, isDerpError } from '../../lib/derp-error.ts'
import type { Log } from '../../lib/log.ts'
import type { ConnectRequest, MonitorPorts, ProbeClient } from '../../monitor/ports.ts'
import { RevocationChecker } from '../../monitor/revocation/revocation-checker.ts'
import { stunBinding } from '../../stun/client.ts'
import { bytesFetcher } from './fetch-bytes.ts'
import { fetchProbeMap } from './probe-map.ts'
import type { ProbeIdentity } from './probe-settings.ts'

export interface NodePortsOptions {
  readonly clock: Clock
  readonly log: Log
  /** Where the DERP map comes from. */
  readonly map: string
  readonly identity: ProbeIdentity
  /** PEM of the CAs that this process trusts. */
  readonly authorities: readonly string[]
  /** Where proxies are looked up, for the map and for what authorities say; relays are probed directly. */
  readonly env: ProxyEnv
}

/** Ends a probe before its own limit does only where there is none. */
const STUN_TIMEOUT_MS = 60_000

export function nodePorts({ clock, log, map, identity, authorities, env }: NodePortsOptions): MonitorPorts {
  const transport = new NodeTransport()
  const fetchBytes = bytesFetcher(env)
  const revocation = new RevocationChecker({ clock, authorities, fetchBytes })
  const { meshKey, token } = identity
  return {
    clock,
    log,
    fetchMap: signal => fetchProbeMap(map, { clock, fetchBytes }, signal),
    handshake: async (node, signal) => {
      const { tls, close } = await transport.dialRegionTls(regionOf(node), signal)
      close()
      return tls
    },
    checkRevocation: (chain, signal) => revocation.check(chain, signal),
    askStun: async (host, port, signal) => void (await stunBinding({ host, port, timeoutMs: STUN_TIMEOUT_MS, signal })),
    connect: (request, signal) => {
      const key = identity.keys?.[request.end] ?? NodePrivateKey.generate()
      const region = regionOf(request.node)
      const { isProber } = request
      return loggedIn(new NodeClient(key, () => region, { meshKey, token, isProber, clock }), request, signal)
    },
    randomBytes: length => new Uint8Array(randomBytes(length)),
  }
}

/** Only when the relay has sent its ServerInfo does it route to the client. */
async function loggedIn(client: NodeClient, { node }: ConnectRequest, signal: AbortSignal): Promise<ProbeClient> {
  try {
    await client.connect(signal)
    const { type } = await client.recv(signal)
    if (type !== 'serverInfo') {
      throw new DerpError(
        'ERR_DERP_PROBE_FAILED',
        `log in to ${node.Name}: the first message is ${type}, not serverInfo`,
      )
    }
    return client
  } catch (error) {
    await client.close().catch(() => {})
    throw isDerpError(error, 'ERR_DERP_CONN_CLOSED') ? notAdmitted(node, error) : error
  }
}

function notAdmitted({ Name }: DERPNode, cause: DerpError): DerpError {
  const fix = 'if it admits known clients only, use -mesh-psk-file, -key-file or -token'
  return new DerpError('ERR_DERP_PROBE_FAILED', `log in to ${Name}: ${cause.message}; ${fix}`, { cause })
}

function regionOf(node: DERPNode): DERPRegion {
  const { RegionID, Name } = node
  return { RegionID, RegionCode: Name, RegionName: Name, Nodes: [node] }
}

/**
 * A relay's links to its mesh peers (`-mesh-with`).
 *
 * Clause: P-078.
 */

import type { ConnectionOptions } from 'node:tls'
import { NodeClient } from '../client/node/node-client.ts'
import type { ProxyEnv } from '../client/node/node-proxy-rules.ts'
import { openTcp } from '../client/node/node-socket.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Log, LogFields } from '../lib/log.ts'
import type { MeshLinkSnapshot } from '../metrics/mesh-counters.ts'
import type { ResolvedRelayCoreOptions } from '../server/options.ts'
import type { RouteTable } from '../server/ports.ts'
import { MeshLink } from './mesh-link.ts'
import type { MeshTarget } from './mesh-target.ts'

/** The relay that owns the links: a relay core, or the coordinator of several workers. */
export interface MeshOwner extends RouteTable {
  readonly publicKey: NodePublicKey
  readonly options: Pick<ResolvedRelayCoreOptions, 'privateKey' | 'meshKey' | 'clock' | 'log' | 'random'>
}

/** A remote client takes some 1.2 KB of memory: this many take 600 MB. */
const DEFAULT_MAX_CLIENTS = 500_000

export interface MeshOptions {
  /** For certificates that the system does not trust. */
  readonly tlsConfig?: ConnectionOptions | undefined
  /** Clients that each mesh peer may announce; 0 for no limit. Default {@link DEFAULT_MAX_CLIENTS}. */
  readonly maxClients?: number
  /** Where proxies are looked up. Default: none are used. */
  readonly proxyEnv?: ProxyEnv | undefined
}

export class Mesh {
  readonly #links: readonly MeshLink[]
  readonly #log: Log
  #running: Promise<unknown> = Promise.resolve()

  /**
   * Opens no connections.
   *
   * @param core the relay, whose key and mesh key the links log in with.
   * @throws DerpError for a relay without a mesh key.
   */
  constructor(core: MeshOwner, targets: readonly MeshTarget[], options: MeshOptions = {}) {
    const { tlsConfig, proxyEnv, maxClients = DEFAULT_MAX_CLIENTS } = options
    const { privateKey, meshKey, clock, log, random } = core.options
    if (meshKey === undefined) {
      throw new DerpError(
        'ERR_DERP_CONFIG_INVALID',
        'link to mesh peers: -mesh-with needs the key from -mesh-psk-file',
        {
          clause: 'P-078',
        },
      )
    }
    this.#log = log
    this.#links = targets.map(({ host, url, dialHost }) => {
      const named = namedLog(log, host)
      const client = new NodeClient(privateKey, url, {
        meshKey,
        watchConnectionChanges: true,
        clock,
        log: named,
        tlsConfig,
        proxyEnv,
        ...(dialHost !== undefined && { urlDialer: ({ port }, signal) => openTcp(dialHost, port, signal) }),
      })
      const ports = { table: core, ownKey: core.publicKey, clock, log: named, random, maxClients }
      return new MeshLink(host, client, ports)
    })
  }

  /** Starts dialling all mesh peers. */
  start(): void {
    const failed = (error: unknown) => this.#log.error('mesh link failed permanently', { reason: String(error) })
    this.#running = Promise.all(this.#links.map(link => link.run().catch(failed)))
  }

  /** Closes all links. */
  async stop(): Promise<void> {
    for (const link of this.#links) link.stop()
    await this.#running
  }

  /** A snapshot of each link, in the order of the mesh peers. */
  snapshot(): readonly MeshLinkSnapshot[] {
    return this.#links.map(({ snapshot }) => snapshot)
  }
}

/** A log that adds the mesh peer to each line. */
function namedLog(log: Log, meshPeer: string): Log {
  const at =
    (level: keyof Log) =>
    (message: string, fields: LogFields = {}) =>
      log[level](message, { meshPeer, ...fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

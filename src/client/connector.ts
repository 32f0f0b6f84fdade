/**
 * How a client connects: where to, with which key, and what it reports about itself.
 *
 * Clauses: P-200 URL, P-202 time limit, P-220 regions.
 */

import { formatRegion } from '../derpmap/regions.ts'
import type { DERPRegion } from '../derpmap/types.ts'
import type { KeyAgreement } from '../keys/box.ts'
import { assertPrivateKey, type PrivateKey } from '../keys/private-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { ClientSettings } from './client-settings.ts'
import { formatRelayUrl, parseRelayUrl } from './dial/relay-url.ts'
import { type OpenedConnection, openConnection } from './open-connection.ts'
import {
  type ClientOptions,
  type ConnectionObserver,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  resolveNumber,
} from './options.ts'
import type { ClientTransport, DialTarget, NetworkMonitor } from './ports.ts'

/** Returns the current region to connect to; undefined if there is none at present. */
export type RegionSource = () => DERPRegion | undefined

export class Connector {
  readonly privateKey: PrivateKey
  /** Checked, with defaults applied. */
  readonly options: ResolvedConnectionOptions
  /** Whether to tell the relay, on later connections, that its pings are answered. */
  canAckPings: boolean
  readonly #target: URL | RegionSource
  readonly #transport: ClientTransport
  readonly #agreement: KeyAgreement
  readonly #netMon: NetworkMonitor | undefined
  readonly #connectTimeoutMs: number
  /** The latest name; regions may change. */
  #regionName = 'region unknown'

  /** @throws DerpError for an unusable URL, key or option. */
  constructor(privateKey: PrivateKey, server: string | URL | RegionSource, options: ClientOptions) {
    assertPrivateKey('make client', privateKey)
    privateKey.publicKey()
    this.privateKey = privateKey
    this.options = resolveConnectionOptions(options)
    this.canAckPings = this.options.canAckPings
    this.#target = typeof server === 'function' ? server : parseRelayUrl(server)
    this.#transport = options.transport
    this.#agreement = options.agreement
    this.#netMon = options.netMon
    this.#connectTimeoutMs = resolveNumber('connectTimeoutMs', options.connectTimeoutMs)
  }

  /** Name of the relay or region in messages. */
  get targetName(): string {
    return this.#target instanceof URL ? `url=${formatRelayUrl(this.#target)}` : this.#regionName
  }

  /** Connects and logs in. */
  async open(settings: ClientSettings, observer: ConnectionObserver, stop: AbortSignal): Promise<OpenedConnection> {
    const { meshKey, isProber, appName, baseContext } = settings
    const plan = {
      target: this.#dialTarget(),
      transport: this.#transport,
      clock: this.options.clock,
      timeoutMs: this.#connectTimeoutMs,
      base: baseContext && signalOf(baseContext),
      netMon: this.#netMon,
      login: {
        ...this.options,
        meshKey,
        isProber,
        appName,
        canAckPings: this.canAckPings,
        privateKey: this.privateKey,
        agreement: this.#agreement,
        observer,
      },
    }
    return openConnection(plan, stop)
  }

  #dialTarget(): DialTarget {
    if (this.#target instanceof URL) return { url: this.#target }
    const region = this.#target()
    if (region === undefined) {
      throw new DerpError('ERR_DERP_REGION_UNAVAILABLE', 'connect: region not available', { clause: 'P-220' })
    }
    this.#regionName = formatRegion(region)
    return { region }
  }
}

function signalOf(baseContext: () => AbortSignal): AbortSignal {
  const base: unknown = baseContext()
  if (base instanceof AbortSignal) return base
  throw new TypeError('ask for base context: not an AbortSignal')
}

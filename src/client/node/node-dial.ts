/**
 * The Node transport: sockets, proxies, TLS, and the HTTP upgrade.
 *
 * Clauses: P-200 URL, P-213 fast start, P-220 to P-226 regions, nodes and proxies.
 */

import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { type DerpEndpoint, formatNode, resolveEndpoint } from '../../derpmap/endpoint.ts'
import { formatRegion } from '../../derpmap/regions.ts'
import type { DERPNode, DERPRegion } from '../../derpmap/types.ts'
import { abortable } from '../../lib/abort.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { explainError } from '../../lib/connection-fault.ts'
import { DerpError, isDerpError } from '../../lib/derp-error.ts'
import { silentLog } from '../../lib/log.ts'
import { withTimeLimit } from '../../lib/time-limit.ts'
import { FAST_START_HEADER } from '../../protocol/constants.ts'
import { NodeConn } from '../../transport/node-conn.ts'
import type { DnsCache } from '../dial/dns-cache.ts'
import { FastStartConn } from '../dial/fast-start-conn.ts'
import { type DialedNode, dialRegion, idealNodeHeaders, withinNodeTime, withinSecureTime } from '../dial/region-dial.ts'
import { endpointOfUrl } from '../dial/relay-url.ts'
import { TlsSessions } from '../dial/tls-sessions.ts'
import { readToken } from '../dial/token.ts'
import { formatUpgradeRequest } from '../dial/upgrade-request.ts'
import { UpgradeResponse } from '../dial/upgrade-response.ts'
import { formatTarget } from '../open-connection.ts'
import { DEFAULTS } from '../options.ts'
import type { AddressFamilySelector, ClientTransport, DialedConn, DialRequest } from '../ports.ts'
import { resolvePin } from './node-certificate.ts'
import type { NodeTransportOptions, RegionTls, UrlDialer } from './node-dial-options.ts'
import { exchange } from './node-exchange.ts'
import { dialByProxy } from './node-proxy.ts'
import { ProxyRules } from './node-proxy-rules.ts'
import { dialTcp, type Network } from './node-tcp.ts'
import { type SecuredSocket, startTls } from './node-tls.ts'

const TLS_HINT = ': if the port speaks TLS, use https://'

/** The stream below TLS, and the expected peer. */
interface OpenedSocket {
  readonly socket: Duplex
  readonly endpoint: DerpEndpoint
}

/** What is done with a node that was connected to. */
interface NodeFinish<T> {
  readonly finish: (opened: OpenedSocket, node: DERPNode, signal: AbortSignal) => Promise<T>
  /** Takes back what came too late. */
  readonly discard: (late: T) => void
}

/**
 * Dials relays by URL and by region.
 *
 * @example
 * ```ts
 * const transport = new NodeTransport({ proxyEnv: process.env })
 * const client = new Client(privateKey, url, { transport })
 * ```
 */
export class NodeTransport implements ClientTransport {
  /** DNS cache, from the next dial on. */
  dnsCache: DnsCache | undefined
  readonly #options: NodeTransportOptions
  readonly #pin: string | undefined
  readonly #clock: Clock
  readonly #proxies: ProxyRules
  readonly #connect: Network['connect']
  readonly #sessions = new TlsSessions<X509Certificate>()
  #tlsConfig: ConnectionOptions
  #urlDialer: UrlDialer | undefined
  #selector: AddressFamilySelector | undefined

  /**
   * Opens nothing yet.
   *
   * @param connect connects to IP addresses; by default with sockets.
   * @throws DerpError for an unusable proxy or pin.
   */
  constructor(options: NodeTransportOptions = {}, connect?: Network['connect']) {
    this.#options = options
    this.#pin = resolvePin(options.pin)
    this.#clock = options.clock ?? systemClock
    this.#proxies = new ProxyRules(options.proxyEnv ?? {})
    this.#connect = connect
    this.#tlsConfig = options.tlsConfig ?? {}
    this.#urlDialer = options.urlDialer
    this.#selector = options.addressFamilySelector
    this.dnsCache = options.dnsCache
  }

  /** TLS settings, from the next dial on. Replace as a whole: sessions verified under other settings are not resumed. */
  get tlsConfig(): ConnectionOptions {
    return this.#tlsConfig
  }

  set tlsConfig(config: ConnectionOptions) {
    this.#tlsConfig = config
    this.#sessions.clear()
  }

  /** Opens connections instead of TCP, for URLs, from the next dial on; undefined restores TCP. */
  setUrlDialer(dialer: UrlDialer | undefined): void {
    this.#urlDialer = dialer
  }

  /** Decides whether IPv6 gets a head start, from the next dial on. */
  setAddressFamilySelector(selector: AddressFamilySelector): void {
    this.#selector = selector
  }

  async dial({ target, signal }: DialRequest): Promise<DialedConn> {
    try {
      return 'url' in target ? await this.#dialUrl(target.url, signal) : await this.#dialRegion(target.region, signal)
    } catch (error) {
      throw dialError(formatTarget(target), error)
    }
  }

  /** Dials a node of a region, completes a full TLS handshake and stops there. 10 s at most. */
  dialRegionTls(region: DERPRegion, signal?: AbortSignal): Promise<RegionTls> {
    const action = `dial ${formatRegion(region)}`
    const timeoutMs = DEFAULTS.connectTimeoutMs
    const tooLate = () =>
      new DerpError('ERR_DERP_DIAL_TIMEOUT', `${action}: not connected after ${timeoutMs} ms`, { clause: 'P-202' })
    const discard = (late: RegionTls) => late.close()
    const limit = { clock: this.#clock, timeoutMs, action, tooLate, signals: [signal], discard }
    return withTimeLimit(limit, async stop => {
      const { node, connection } = await this.#reachRegion(region, stop, false, {
        finish: (opened, _node, signal) => this.#secure(opened, signal, undefined),
        discard: late => void late.socket.destroy(),
      })
      const { socket, state } = connection
      return { socket, node, tls: state, close: () => void socket.destroy() }
    })
  }

  async #dialUrl(url: URL, signal: AbortSignal): Promise<DialedConn> {
    const endpoint = endpointOfUrl(url, { serverName: this.#tlsConfig.servername, pin: this.#pin })
    const dialer = this.#urlDialer
    const socket = await (dialer ? dialWith(dialer, endpoint, signal) : this.#open(endpoint, signal))
    return this.#establish({ socket, endpoint }, {}, signal)
  }

  async #dialRegion(region: DERPRegion, signal: AbortSignal): Promise<DialedConn> {
    const { node, connection } = await this.#reachRegion(region, signal, this.#options.useHttp, {
      finish: (opened, node, stop) => this.#establish(opened, idealNodeHeaders(region, node), stop),
      discard: late => late.conn.destroy(),
    })
    return { ...connection, node }
  }

  /** Connects to one node after the other, and continues with the first that answers. */
  async #reachRegion<T>(
    region: DERPRegion,
    signal: AbortSignal,
    useHttp: boolean | undefined,
    { finish, discard }: NodeFinish<T>,
  ): Promise<DialedNode<T>> {
    const { failover, log = silentLog } = this.#options
    const connect = async (node: DERPNode, stop: AbortSignal) => {
      try {
        const endpoint = resolveEndpoint(node, { useHttp })
        const opened = { endpoint, socket: await this.#open(endpoint, stop, node) }
        if (failover !== 'tls') return { opened }
        const limit = { node, clock: this.#clock, signal: stop, discard }
        return { opened, finished: await withinSecureTime(limit, secureStop => finish(opened, node, secureStop)) }
      } catch (error) {
        throw dialError(formatNode(node), error)
      }
    }
    const { node, connection } = await dialRegion({ region, signal, log, connect })
    const { opened, finished } = connection
    return { node, connection: finished ?? (await finish(opened, node, signal)) }
  }

  /** A node has its own time limit, except through a proxy, whose DNS and routes are unknown. */
  #open(endpoint: DerpEndpoint, signal: AbortSignal, node?: DERPNode): Promise<Duplex> {
    const { host, port, url } = endpoint
    const clock = this.#clock
    const preferIPv6 = this.#selector?.preferIPv6() ?? false
    const network: Network = { clock, dnsCache: this.dnsCache, preferIPv6, connect: this.#connect }
    const proxy = this.#proxies.proxyFor({ scheme: url.protocol === 'https:' ? 'https' : 'http', host, port })
    if (proxy !== undefined) {
      return dialByProxy(host, port, { proxy, network, tlsConfig: this.#options.proxyTlsConfig ?? {}, signal })
    }
    if (node === undefined) return dialTcp(endpoint, network, signal)
    const discard = (late: Socket) => void late.destroy()
    return withinNodeTime({ node, clock, signal, discard }, stop => dialTcp(endpoint, network, stop))
  }

  /** TLS, if the URL requires it, and the upgrade: a fast start if the relay's key is known. */
  async #establish(
    opened: OpenedSocket,
    nodeHeaders: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<DialedConn> {
    const { socket, endpoint } = opened
    const token = readToken(this.#options.token)
    const headers = { ...nodeHeaders, ...(token !== undefined && { Authorization: `Bearer ${token}` }) }
    if (endpoint.url.protocol === 'http:') return { conn: await this.#upgrade(socket, endpoint.url, headers, signal) }
    const secured = await this.#secure(opened, signal, this.#sessions)
    const { serverKey, state: tls, forgetSession } = secured
    if (serverKey === undefined)
      return { conn: await this.#upgrade(secured.socket, endpoint.url, headers, signal), tls }
    const request = formatUpgradeRequest(endpoint.url, { ...headers, [FAST_START_HEADER]: '1' })
    const start = { request, path: endpoint.url.pathname, serverKey, onMistaken: forgetSession }
    return { conn: new FastStartConn(new NodeConn(secured.socket), start), serverKey, tls }
  }

  async #secure(
    { socket, endpoint }: OpenedSocket,
    signal: AbortSignal,
    sessions: TlsSessions<X509Certificate> | undefined,
  ): Promise<SecuredSocket> {
    try {
      return await startTls(socket, endpoint, { config: this.#tlsConfig, clock: this.#clock, sessions, signal })
    } catch (error) {
      // Another server responded: the host may have moved, or a captive portal has answered DNS.
      if (isDerpError(error, 'ERR_DERP_TLS_FAILED')) this.dnsCache?.expire?.(endpoint.host)
      throw error
    }
  }

  async #upgrade(
    socket: Duplex,
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<NodeConn> {
    const request = formatUpgradeRequest(url, headers)
    const head = await exchange(socket, {
      request,
      answer: new UpgradeResponse(url.pathname, url.protocol === 'http:' ? TLS_HINT : ''),
      clock: this.#clock,
      signal,
    })
    return new NodeConn(socket as Socket, head)
  }
}

/**
 * A transport for one client, or for several that share TLS sessions.
 *
 * @example
 * ```ts
 * const transport = createNodeTransport()
 * const clients = ['https://a.example/derp', 'https://b.example/derp'].map(
 *   server => new Client(NodePrivateKey.generate(), server, { transport }),
 * )
 * ```
 */
export function createNodeTransport(options: NodeTransportOptions = {}): NodeTransport {
  return new NodeTransport(options)
}

async function dialWith(dialer: UrlDialer, { host, port }: DerpEndpoint, signal: AbortSignal): Promise<Duplex> {
  const dialing = dialer({ host, port }, signal)
  try {
    const socket = await abortable(dialing, signal, `dial ${host}`)
    // An error between two steps must have a listener, or it crashes the process.
    socket.on('error', () => {})
    return socket
  } catch (error) {
    dialing.then(
      late => void late.destroy(),
      () => {},
    )
    throw error
  }
}

function dialError(what: string, error: unknown): DerpError {
  if (error instanceof DerpError) return error
  return new DerpError('ERR_DERP_DIAL_FAILED', `dial ${what}: ${explainError(error)}`, { cause: error })
}

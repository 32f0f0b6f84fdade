/** Connects through an HTTP proxy (P-224). */

import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { explainError } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { formatConnectRequest, TunnelResponse, tunnelTarget } from '../dial/proxy-tunnel.ts'
import { endpointOfUrl, formatRelayUrl } from '../dial/relay-url.ts'
import { exchange } from './node-exchange.ts'
import { dialTcp, type Network } from './node-tcp.ts'
import { startTls } from './node-tls.ts'

export interface ProxyDial {
  readonly proxy: URL
  readonly network: Network
  /** For proxies whose own URL is https. */
  readonly tlsConfig: ConnectionOptions
  readonly signal: AbortSignal
}

/** Opens a tunnel through the proxy, which resolves the name. @throws DerpError naming the proxy. */
export async function dialByProxy(host: string, port: number, dial: ProxyDial): Promise<Duplex> {
  const { proxy, network, signal } = dial
  const target = tunnelTarget(host, port)
  const socket = await connectToProxy(dial).catch(error => {
    if (signal.aborted) throw error
    const reason = `connect to ${target} by proxy ${formatRelayUrl(proxy)}: ${explainError(error)}`
    throw new DerpError('ERR_DERP_PROXY_FAILED', reason, { clause: 'P-224', cause: error })
  })
  const plan = {
    request: formatConnectRequest(proxy, target),
    answer: new TunnelResponse(proxy, target),
    clock: network.clock,
    signal,
  }
  const rest = await exchange(socket, plan)
  if (rest.length > 0) socket.unshift(rest)
  return socket
}

async function connectToProxy({ proxy, network, tlsConfig, signal }: ProxyDial): Promise<Duplex> {
  const endpoint = endpointOfUrl(proxy, { serverName: tlsConfig.servername })
  const socket = await dialTcp(endpoint, network, signal)
  if (proxy.protocol === 'http:') return socket
  const secured = await startTls(socket, endpoint, { config: tlsConfig, clock: network.clock, signal })
  return secured.socket
}

/** Netcheck's platform for Node. */

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ResponseHeadReader } from '../client/dial/response-head.ts'
import { lookupSystem } from '../client/node/node-dns.ts'
import { exchange } from '../client/node/node-exchange.ts'
import { dialTcp } from '../client/node/node-tcp.ts'
import { startTls } from '../client/node/node-tls.ts'
import { type DerpEndpoint, hostInUrl, resolveEndpoint } from '../derpmap/endpoint.ts'
import type { DERPNode } from '../derpmap/types.ts'
import { abortable } from '../lib/abort.ts'
import type { IpFamily } from '../lib/address-port.ts'
import { encodeUtf8 } from '../lib/bytes.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { explainError } from '../lib/connection-fault.ts'
import { DerpError, ProtocolError } from '../lib/derp-error.ts'
import type { HttpsTimes, NetcheckPlatform, PlainHttpAnswer, UdpSocket } from './platform.ts'

/** Relays respond to it without a DERP connection. */
const LATENCY_PATH = '/derp/latency-check'
const PLAIN_TIMEOUT_MS = 3_000

export interface NodeNetcheckOptions {
  /** PEM of all CAs to trust. Default: Node's. */
  readonly authorities?: readonly string[] | undefined
  /** Local address of UDP sockets; those of the other family stay unbound. */
  readonly bindAddress?: string | undefined
  /** Local UDP port. Default: chosen by the system. */
  readonly bindPort?: number | undefined
  /** Port of plain HTTP. Default 80; for tests. */
  readonly plainPort?: number | undefined
  readonly clock?: Clock | undefined
}

export function nodeNetcheck(options: NodeNetcheckOptions = {}): NetcheckPlatform {
  const { clock = systemClock, authorities, plainPort = 80 } = options
  const trust = authorities === undefined ? {} : { ca: [...authorities] }
  return {
    clock,
    ipv6: async () => ({ inSystem: await canBind('::1', 'udp6'), hasAddress: hasGlobalIPv6() }),
    lookup: (host, family, signal) => abortable(lookupSystem(host, family), signal, `look up ${host}`),
    openUdp: (family, onDatagram) => openUdp(family, options, onDatagram),
    measureHttps: (node, signal) => measureHttps(node, trust, clock, signal).catch(explained),
    probePlainHttp: (host, signal) => probePlainHttp(host, plainPort, signal),
  }
}

function hasGlobalIPv6(): boolean {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  return all.some(({ family, internal, address }) => family === 'IPv6' && !internal && !address.startsWith('fe80'))
}

async function canBind(address: string, type: 'udp4' | 'udp6'): Promise<boolean> {
  const socket = createSocket(type)
  const outcome = Promise.withResolvers<boolean>()
  socket.once('error', () => outcome.resolve(false)).bind(0, address, () => outcome.resolve(true))
  const isBound = await outcome.promise
  socket.close()
  return isBound
}

async function openUdp(
  family: IpFamily,
  { bindAddress, bindPort = 0 }: NodeNetcheckOptions,
  onDatagram: (bytes: Uint8Array) => void,
): Promise<UdpSocket> {
  // A socket for both families would take the port of the other socket.
  const socket = createSocket(family === 4 ? { type: 'udp4' } : { type: 'udp6', ipv6Only: true })
  const bound = Promise.withResolvers<void>()
  socket.on('error', error => bound.reject(error)).on('message', onDatagram)
  const address = bindAddress !== undefined && isIP(bindAddress) === family ? bindAddress : undefined
  socket.bind({ port: bindPort, ...(address !== undefined && { address }) }, () => bound.resolve())
  await bound.promise.catch(error => {
    socket.close()
    throw error
  })
  return {
    send: (bytes, to) =>
      new Promise((resolve, reject) => {
        socket.send(bytes, to.port, to.address, error => (error ? reject(error) : resolve()))
      }),
    close: () => void socket.close(),
  }
}

/** Turns platform errors into messages with cause and fix. */
function explained(error: unknown): never {
  if (error instanceof DerpError) throw error
  throw new DerpError('ERR_DERP_DIAL_FAILED', explainError(error), { cause: error })
}

/** Connects as clients do, and sends one request. */
async function measureHttps(
  node: DERPNode,
  trust: { readonly ca?: string[] },
  clock: Clock,
  signal: AbortSignal,
): Promise<HttpsTimes> {
  const endpoint = resolveEndpoint(node)
  const startMs = clock.now()
  const tcp = await dialTcp(endpoint, { clock, dnsCache: undefined, preferIPv6: false }, signal)
  const connectedMs = clock.now()
  const { socket } = await startTls(tcp, endpoint, { config: trust, clock, signal })
  const securedMs = clock.now()
  try {
    await exchange(socket, { request: latencyRequest(endpoint), answer: new LatencyAnswer(), clock, signal })
    return { connectMs: connectedMs - startMs, tlsMs: securedMs - connectedMs, httpMs: clock.now() - securedMs }
  } finally {
    socket.destroy()
  }
}

function latencyRequest({ url }: DerpEndpoint): Uint8Array {
  const head = `GET ${LATENCY_PATH} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: derphttp\r\nConnection: close\r\n\r\n`
  return encodeUtf8(head)
}

/** Any status other than success comes from a proxy. */
class LatencyAnswer {
  readonly #head = new ResponseHeadReader(reason => new ProtocolError('ERR_DERP_UPGRADE_MALFORMED', `HTTP: ${reason}`))

  push(chunk: Uint8Array): Uint8Array | undefined {
    const head = this.#head.push(chunk)
    if (head === undefined) return undefined
    if (head.status >= 200 && head.status < 300) return head.rest
    throw new DerpError('ERR_DERP_UPGRADE_REFUSED', `HTTP: status ${head.status}`)
  }

  end(): never {
    throw new DerpError('ERR_DERP_CONN_CLOSED', 'HTTP: connection closed without a response')
  }
}

async function probePlainHttp(host: string, port: number, signal: AbortSignal): Promise<PlainHttpAnswer> {
  const challenge = `derp-${randomBytes(8).toString('hex')}`
  try {
    const response = await fetch(`http://${hostInUrl(host)}:${port}/generate_204`, {
      headers: { 'X-Tailscale-Challenge': challenge },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PLAIN_TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    const isRelay = response.status === 204 && response.headers.get('x-tailscale-response') === `response ${challenge}`
    return isRelay ? 'relay' : 'other'
  } catch {
    return 'none'
  }
}

/**
 * How a node is reached: the one place that knows what the fields of a {@link DERPNode} mean for a connection.
 *
 * Clauses: P-144 certificate, P-222 addresses, P-223 port.
 */

import { type IpFamily, ipFamilyOf } from '../lib/address-port.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { DERPNode } from './types.ts'

/** Port of DERP over TLS, unless a node says otherwise. */
const TLS_PORT = 443
/** Port of DERP without TLS, unless a node says otherwise. */
const PLAIN_PORT = 3340
const DERP_PATH = '/derp'
const PIN_PREFIX = 'sha256-raw:'

/** Where the address of one family comes from. */
export type AddressSource =
  | { readonly from: 'map'; readonly address: string }
  | { readonly from: 'dns' }
  | { readonly from: 'nowhere' }

/** What the certificate of the other side must be. */
export type CertificateRule =
  /** Trusted, and valid for the name or address. */
  | { readonly kind: 'name'; readonly name: string }
  /** This very certificate, alone, and valid for the name or address; trusted by nobody else. */
  | { readonly kind: 'pin'; readonly sha256: string; readonly name: string }
  | { readonly kind: 'any' }

/** How a node is reached. */
export interface DerpEndpoint {
  /** DNS name or IP address: what DNS, or a proxy, is asked for. */
  readonly host: string
  readonly port: number
  readonly addresses: Readonly<Record<IpFamily, AddressSource>>
  /** What is requested. */
  readonly url: URL
  /** Name that is sent in the handshake; none is when it is an address. */
  readonly serverName: string
  readonly certificate: CertificateRule
}

export interface EndpointOptions {
  /** Plain HTTP instead of TLS, for development. */
  readonly useHttp?: boolean | undefined
}

/** @throws DerpError when a field cannot be used. */
export function resolveEndpoint(node: DERPNode, options: EndpointOptions = {}): DerpEndpoint {
  const host = node.HostName
  const port = node.DERPPort || (options.useHttp ? PLAIN_PORT : TLS_PORT)
  return {
    host,
    port,
    addresses: { 4: addressSource(node.IPv4, host, 4), 6: addressSource(node.IPv6, host, 6) },
    url: endpointUrl(node, port, options.useHttp ? 'http' : 'https'),
    serverName: host.replace(/\.$/, ''),
    certificate: certificateRule(node),
  }
}

/** How messages call a node. */
export function formatNode({ Name, HostName }: DERPNode): string {
  return Name === '' ? `node ${HostName}` : `node ${Name} (${HostName})`
}

/** Why a text is no host to connect to; undefined when it is one. */
export function hostProblem(host: string): string | undefined {
  if (/:\/\//.test(host)) return 'not a host: a URL, of which only the host goes here'
  if (/^\[.*\]/.test(host)) return 'not a host: an IPv6 address goes without brackets, a port into DERPPort'
  if (/^[^:]+:\d+$/.test(host)) return 'not a host: a port goes into DERPPort'
  if (/^[\d.]+\/\d+$/.test(host)) return 'not a host: an address goes without its prefix length'
  const isHost = ipFamilyOf(host) !== undefined || /^[^\s/?#@\\:[\]]+$/.test(host)
  return isHost && URL.canParse(`http://${hostInUrl(host)}/`) ? undefined : 'not a host'
}

function hostInUrl(host: string): string {
  return ipFamilyOf(host) === 6 ? `[${host}]` : host
}

function addressSource(stated: string | undefined, host: string, family: IpFamily): AddressSource {
  if (stated) return ipFamilyOf(stated) === family ? { from: 'map', address: stated } : { from: 'nowhere' }
  const hostFamily = ipFamilyOf(host)
  if (hostFamily === undefined) return { from: 'dns' }
  return hostFamily === family ? { from: 'map', address: host } : { from: 'nowhere' }
}

function endpointUrl(node: DERPNode, port: number, scheme: 'http' | 'https'): URL {
  const host = node.HostName
  const problem = hostProblem(host)
  if (problem !== undefined) throw invalid(node, 'HostName', problem)
  const url = new URL(`${scheme}://${hostInUrl(host)}${DERP_PATH}`)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid(node, 'DERPPort', 'not a port')
  url.port = String(port)
  return url
}

function certificateRule(node: DERPNode): CertificateRule {
  const name = node.HostName.replace(/\.$/, '')
  const { CertName: certName } = node
  if (certName?.startsWith(PIN_PREFIX)) {
    const sha256 = certName.slice(PIN_PREFIX.length).toLowerCase()
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid(node, 'CertName', 'not the hex SHA-256 of a certificate')
    return { kind: 'pin', sha256, name }
  }
  // As in the original, a name of its own is looked at even here.
  if (certName && certName !== node.HostName) return { kind: 'name', name: certName }
  return node.InsecureForTests ? { kind: 'any' } : { kind: 'name', name }
}

function invalid(node: DERPNode, field: keyof DERPNode, reason: string): DerpError {
  const value = JSON.stringify(node[field])
  return new DerpError('ERR_DERP_NODE_INVALID', `reach ${formatNode(node)}: ${field} ${value}: ${reason}`)
}

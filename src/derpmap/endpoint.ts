/**
 * How to reach a node: the only place that interprets the fields of a {@link DERPNode} for connections.
 *
 * Clauses: P-144 certificate, P-222 addresses, P-223 port.
 */

import { type IpFamily, ipFamilyOf } from '../lib/address-port.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { DERPNode } from './types.ts'

/** Default port of DERP over TLS. */
const TLS_PORT = 443
/** Default port of DERP without TLS. */
const PLAIN_PORT = 3340
const DERP_PATH = '/derp'
const PIN_PREFIX = 'sha256-raw:'

/** Where the address of one family comes from. */
export type AddressSource =
  /** The map has it. */
  | { readonly from: 'map'; readonly address: string }
  /** The host name is looked up. */
  | { readonly from: 'dns' }
  /** There is none: the map turns the family off, or the host is an address of the other. */
  | { readonly from: 'nowhere' }

/** Requirements on the server certificate. */
export type CertificateRule =
  /** Trusted, and valid for the name or address. */
  | { readonly kind: 'name'; readonly name: string }
  /** The certificate with this SHA-256, in lower-case hex, and valid for the name or address; no trust chain needed. */
  | { readonly kind: 'pin'; readonly sha256: string; readonly name: string }
  /** Any certificate; for tests. */
  | { readonly kind: 'any' }

/** How to reach a node. */
export interface DerpEndpoint {
  /** DNS name or IP address to resolve, or to request from a proxy. */
  readonly host: string
  /** TCP port. */
  readonly port: number
  /** The addresses by family, 4 and 6. */
  readonly addresses: Readonly<Record<IpFamily, AddressSource>>
  /** The request URL. */
  readonly url: URL
  /** Server name sent in the TLS handshake; not sent if it is an address. */
  readonly serverName: string
  /** What its certificate must satisfy. */
  readonly certificate: CertificateRule
}

/** Options of {@link resolveEndpoint}. */
export interface EndpointOptions {
  /** Plain HTTP instead of TLS, for development. */
  readonly useHttp?: boolean | undefined
}

/**
 * Host, port, addresses and certificate rule of a map's node, with the defaults of fields that are not set.
 *
 * @throws DerpError if a field is unusable.
 * @example
 * ```ts
 * const { host, port } = resolveEndpoint({ Name: '900a', RegionID: 900, HostName: 'relay.example' })
 * console.log(host, port) // relay.example 443
 * ```
 */
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

/** Name of a node in messages. */
export function formatNode({ Name, HostName }: DERPNode): string {
  return Name === '' ? `node ${HostName}` : `node ${Name} (${HostName})`
}

/** Why `host` is invalid; undefined if it is valid. */
export function hostProblem(host: string): string | undefined {
  if (/:\/\//.test(host)) return 'not a host but a URL; use only its host'
  if (/^\[.*\]/.test(host)) return 'not a host; write IPv6 addresses without brackets, and ports in DERPPort'
  if (/^[^:]+:\d+$/.test(host)) return 'not a host; write the port in DERPPort'
  if (/^[\d.]+\/\d+$/.test(host)) return 'not a host; write the address without prefix length'
  const isHost = ipFamilyOf(host) !== undefined || /^[^\s/?#@\\:[\]]+$/.test(host)
  return isHost && URL.canParse(`http://${hostInUrl(host)}/`) ? undefined : 'not a host'
}

/** The host as URLs have it: IPv6 addresses in brackets. */
export function hostInUrl(host: string): string {
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
  // As in the original, a differing name is used even here.
  if (certName && certName !== node.HostName) return { kind: 'name', name: certName }
  return node.InsecureForTests ? { kind: 'any' } : { kind: 'name', name }
}

function invalid(node: DERPNode, field: keyof DERPNode, reason: string): DerpError {
  const value = JSON.stringify(node[field])
  return new DerpError('ERR_DERP_NODE_INVALID', `reach ${formatNode(node)}: ${field} ${value}: ${reason}`)
}

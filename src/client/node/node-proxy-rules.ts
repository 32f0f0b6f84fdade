/**
 * Which proxy a connection uses, by the usual environment variables (P-224).
 *
 * They are passed in: only commands read the environment.
 */

import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { DerpError } from '../../lib/derp-error.ts'
import { formatRelayUrl } from '../dial/relay-url.ts'

/** `process.env`, or an object with the same names. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>

/** What a connection is for. */
export interface ProxiedTarget {
  /** Decides between `HTTPS_PROXY` and `HTTP_PROXY`. */
  readonly scheme: 'http' | 'https'
  /** DNS name or IP address. */
  readonly host: string
  readonly port: number
}

/** One entry of `NO_PROXY`. */
type Exception = (host: string, port: number) => boolean

export class ProxyRules {
  readonly #proxies: Readonly<Record<'http' | 'https', URL | undefined>>
  readonly #exceptions: readonly Exception[]

  /** @throws DerpError for a proxy that is not an http or https URL. */
  constructor(env: ProxyEnv) {
    this.#proxies = { http: readProxy(env, 'HTTP_PROXY'), https: readProxy(env, 'HTTPS_PROXY') }
    this.#exceptions = (readVariable(env, 'NO_PROXY') ?? '').split(',').flatMap(parseException)
  }

  /** The proxy for `target`, if any; never for this machine itself. */
  proxyFor({ scheme, host, port }: ProxiedTarget): URL | undefined {
    const proxy = this.#proxies[scheme]
    if (proxy === undefined) return undefined
    const name = asciiName(host)
    if (name === 'localhost' || LOOPBACK(name, port)) return undefined
    return this.#exceptions.some(isException => isException(name, port)) ? undefined : proxy
  }
}

const LOOPBACK: Exception = inSubnets([
  ['127.0.0.0', 8],
  ['::1', 128],
])

function readVariable(env: ProxyEnv, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined
}

function readProxy(env: ProxyEnv, name: string): URL | undefined {
  const value = readVariable(env, name)?.trim()
  if (!value) return undefined
  // A bare host, with or without a port, is accepted as a URL.
  const url = URL.parse(value.includes('://') ? value : `http://${value}`)
  // If the password cannot be located, nothing before the host is shown.
  if (url === null) throw invalid(name, JSON.stringify(value.slice(value.lastIndexOf('@') + 1)), 'not a URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(name, formatRelayUrl(url), `scheme ${url.protocol.slice(0, -1)} is neither http nor https`)
  }
  return url
}

function invalid(name: string, value: string, reason: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `set proxy ${name} to ${value}: ${reason}`, { clause: 'P-224' })
}

/** Zero or one exception; unparsable entries are ignored, as elsewhere. */
function parseException(entry: string): Exception[] {
  const text = entry.trim().toLowerCase()
  if (text === '') return []
  if (text === '*') return [() => true]
  const [, network = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  if (isIP(network) !== 0)
    return Number(bits) <= (isIP(network) === 4 ? 32 : 128) ? [inSubnets([[network, Number(bits)]])] : []
  const { name, port } = splitPort(text)
  const hasPort: Exception = (_host, other) => port === undefined || port === other
  if (isIP(name) !== 0) {
    const isAddress = inSubnets([[name, isIP(name) === 4 ? 32 : 128]])
    return [(host, other) => isAddress(host, other) && hasPort(host, other)]
  }
  const domain = asciiName(name.replace(/^\*(?=\.)/, ''))
  if (domain === '' || domain === '.') return []
  // With a leading dot, the domain itself does not match.
  const suffix = domain.startsWith('.') ? domain : `.${domain}`
  return [(host, other) => isIP(host) === 0 && (host.endsWith(suffix) || host === domain) && hasPort(host, other)]
}

/** `name`, `name:port`, `[v6]:port` or a bare IPv6 address. */
function splitPort(text: string): { name: string; port: number | undefined } {
  if (isIP(text) !== 0) return { name: text, port: undefined }
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  return { name: bracketed ?? plain, port: port === undefined ? undefined : Number(port) }
}

function inSubnets(subnets: readonly (readonly [network: string, bits: number])[]): Exception {
  const list = new BlockList()
  for (const [network, bits] of subnets) list.addSubnet(network, bits, isIP(network) === 4 ? 'ipv4' : 'ipv6')
  return host => isIP(host) !== 0 && list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')
}

/** Lower case, without a trailing dot; international names in DNS form. */
function asciiName(host: string): string {
  const name = host.toLowerCase().replace(/(?<=.)\.$/, '')
  return /^[\x20-\x7e]*$/.test(name) ? name : domainToASCII(name)
}

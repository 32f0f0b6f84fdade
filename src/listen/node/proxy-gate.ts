/**
 * Knows the trusted proxies of listeners and reads their PROXY headers.
 *
 * Only the address decides who must send a header, never the bytes: a header from anyone else is passed on as the
 * client's own bytes, which are invalid as HTTP or TLS.
 * Clauses: P-126 form, P-127 from whom.
 */

import type { Socket } from 'node:net'
import type { AddressPort } from '../../lib/address-port.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import type { HttpCounters, ProxyHeaderCounters } from '../../metrics/http-counters.ts'
import { CidrList } from '../cidr-list.ts'
import { type NoProxyHeader, type ProxyHeader, readProxyHeader } from '../proxy-header.ts'
import { readFirstBytes } from './first-bytes.ts'

/** Options of {@link ProxyGate}. */
export interface ProxyGateOptions {
  /** Addresses and CIDR blocks of the proxies. */
  readonly trustedProxies: readonly string[]
  /** Whether they must start each connection with a PROXY header. */
  readonly sendHeaders: boolean
  /** Counts the first bytes of their connections; the `http` of a relay. */
  readonly counters: HttpCounters
  /** Receives one warning, of the first proxy that sends no header. Default: nothing is logged. */
  readonly log?: Log
}

/**
 * Distinguishes trusted proxies from clients, and knows which connections must start with a header.
 *
 * @example
 * ```ts
 * const { routes, http } = createRelay({ privateKey, trustedProxies: ['10.0.0.0/8'] })
 * const proxyGate = new ProxyGate({ trustedProxies: ['10.0.0.0/8'], sendHeaders: true, counters: http })
 * const listener = createHttpListener({ routes, acceptTimeoutMs: 10_000, proxyGate })
 * ```
 */
export class ProxyGate {
  readonly #proxies: CidrList
  /** Undefined if no headers are sent. */
  readonly #counters: ProxyHeaderCounters | undefined
  readonly #log: Log
  #hasWarned = false

  /** @throws DerpError for an invalid address. */
  constructor({ trustedProxies, sendHeaders, counters, log = silentLog }: ProxyGateOptions) {
    this.#proxies = new CidrList(trustedProxies)
    this.#log = log
    if (!sendHeaders) return
    counters.proxyHeaders ??= { v1: 0, v2: 0, local: 0, missing: 0, malformed: 0 }
    this.#counters = counters.proxyHeaders
  }

  /** Whether the trusted proxies send headers. */
  get readsHeaders(): boolean {
    return this.#counters !== undefined
  }

  /** The address of the one client that a connection serves; undefined for a proxy that serves many. */
  clientAddress(address: string | undefined): string | undefined {
    return address === undefined || this.#proxies.includes(address) ? undefined : address
  }

  /**
   * Removes the header from a connection if one is due. Time limits are up to the caller.
   *
   * @param done called with the client named by the header, if any; never called for a refused connection.
   */
  readHeader(socket: Socket, done: (source: AddressPort | undefined) => void): void {
    const counters = this.#counters
    if (counters === undefined || !this.#proxies.includes(socket.remoteAddress ?? '')) done(undefined)
    else this.#read(socket, counters, done)
  }

  #read(socket: Socket, counters: ProxyHeaderCounters, done: (source: AddressPort | undefined) => void): void {
    readFirstBytes(socket, headerIn, (header, bytes) => {
      if (typeof header === 'string') {
        counters[header]++
        this.#refuse(socket, header)
        return
      }
      counters[kindOf(header)]++
      if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
      done(header.source)
    })
  }

  #refuse(socket: Socket, reason: 'missing' | 'malformed'): void {
    // Only trusted proxies get here, so this is a configuration error that repeats on each connection.
    const fields = { remote: socket.remoteAddress, reason }
    if (this.#hasWarned) this.#log.debug('PROXY header refused', fields)
    else this.#log.warn('PROXY header refused: let the proxy send one, or run without -proxy-protocol', fields)
    this.#hasWarned = true
    socket.destroy()
  }
}

function headerIn(bytes: Buffer): ProxyHeader | Exclude<NoProxyHeader, 'incomplete'> | undefined {
  const header = readProxyHeader(bytes)
  return header === 'incomplete' ? undefined : header
}

function kindOf({ version, source }: ProxyHeader): 'v1' | 'v2' | 'local' {
  if (source === undefined) return 'local'
  return version === 1 ? 'v1' : 'v2'
}

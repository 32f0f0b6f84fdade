/**
 * Knows the trusted proxies of listeners, and takes the PROXY header off their connections before a server sees them.
 *
 * Who must send a header is known by the address and never guessed from the bytes: a header from anybody else is the
 * client's own bytes, which no server understands.
 * Clauses: P-126 form, P-127 from whom.
 */

import type { Server, Socket } from 'node:net'
import type { AddressPort } from '../../lib/address-port.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import type { HttpCounters, ProxyHeaderCounters } from '../../metrics/http-counters.ts'
import { CidrList } from '../cidr-list.ts'
import { connectionId } from '../connection-id.ts'
import { type ProxyHeader, readProxyHeader } from '../proxy-header.ts'

export interface ProxyGateOptions {
  /** Their addresses and CIDR blocks. */
  readonly trustedProxies: readonly string[]
  /** Whether they must begin each connection with a header. */
  readonly sendHeaders: boolean
  /** Counts what they begin with. */
  readonly counters: HttpCounters
  readonly log?: Log
}

interface Told {
  readonly source: AddressPort
  readonly socket: Socket
}

export class ProxyGate {
  readonly #proxies: CidrList
  /** Undefined when no headers are sent. */
  readonly #counters: ProxyHeaderCounters | undefined
  readonly #log: Log
  readonly #told = new Map<string, Told>()
  #hasWarned = false

  /** @throws DerpError for an address that is none. */
  constructor({ trustedProxies, sendHeaders, counters, log = silentLog }: ProxyGateOptions) {
    this.#proxies = new CidrList(trustedProxies)
    this.#log = log
    if (!sendHeaders) return
    counters.proxyHeaders ??= { v1: 0, v2: 0, local: 0, missing: 0, malformed: 0 }
    this.#counters = counters.proxyHeaders
  }

  /** Stands before all that listens for connections of `server` so far. */
  guard(server: Server): void {
    const counters = this.#counters
    if (counters === undefined) return
    const takers = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      const take = () => {
        for (const taker of takers) Reflect.apply(taker, server, [socket])
      }
      if (this.#proxies.includes(socket.remoteAddress ?? '')) this.#read(socket, counters, take)
      else take()
    })
  }

  /** Who is at the other end of a connection, raw or TLS, if a header has told. */
  sourceOf(socket: Socket): AddressPort | undefined {
    return this.#told.get(connectionId(socket))?.source
  }

  /** The address of the one client that a connection is for; undefined for one of a proxy that speaks for many. */
  clientAddress(socket: Socket): string | undefined {
    const address = this.sourceOf(socket)?.address ?? socket.remoteAddress
    return address === undefined || this.#proxies.includes(address) ? undefined : address
  }

  /** Hands the connection over once its header is complete; whoever accepts it limits how long that may take. */
  #read(socket: Socket, counters: ProxyHeaderCounters, take: () => void): void {
    let begin: Buffer = Buffer.alloc(0)
    const onEnd = () => socket.destroy()
    const onReadable = () => {
      const chunk: Buffer | null = socket.read()
      if (chunk === null) return
      begin = Buffer.concat([begin, chunk])
      const header = readProxyHeader(begin)
      if (header === 'incomplete') return
      socket.off('readable', onReadable).off('end', onEnd)
      if (typeof header === 'string') {
        counters[header]++
        this.#refuse(socket, header)
        return
      }
      counters[kindOf(header)]++
      if (header.source !== undefined) this.#note(socket, header.source)
      if (begin.length > header.length) socket.unshift(begin.subarray(header.length))
      take()
    }
    socket.on('readable', onReadable).on('end', onEnd)
  }

  #note(socket: Socket, source: AddressPort): void {
    const id = connectionId(socket)
    this.#told.set(id, { source, socket })
    // Its addresses may be in use again by the time an old connection is reported closed.
    socket.once('close', () => {
      if (this.#told.get(id)?.socket === socket) this.#told.delete(id)
    })
  }

  #refuse(socket: Socket, reason: 'missing' | 'malformed'): void {
    // Only what the operator trusts comes here, so it is a mistake in his settings, made for each connection again.
    const fields = { remote: socket.remoteAddress, reason }
    if (this.#hasWarned) this.#log.debug('PROXY header refused', fields)
    else this.#log.warn('PROXY header refused: let the proxy send one, or run without -proxy-protocol', fields)
    this.#hasWarned = true
    socket.destroy()
  }
}

function kindOf({ version, source }: ProxyHeader): 'v1' | 'v2' | 'local' {
  if (source === undefined) return 'local'
  return version === 1 ? 'v1' : 'v2'
}

/** The STUN server of a relay: UDP sockets around a {@link StunResponder} (P-180, P-181, P-188). */

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressPort } from '../lib/address-port.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { lookUpOne } from '../lib/names/node-name-lookup.ts'
import { STUN_PORT } from './constants.ts'
import { LocalSockets, type ReadAddresses, reachableAddresses } from './local-sockets.ts'
import type { StunRequestCounters } from './request-counters.ts'
import { type StunCounters, StunResponder, type StunResponderOptions } from './responder.ts'
import { StunError } from './stun-error.ts'

/** Options of {@link createStunServer}. */
export interface StunServerOptions extends StunResponderOptions {
  /**
   * Address or name to bind; for a name, its first IPv4 address.
   *
   * Empty, `0.0.0.0` and `::` all mean every address of both families on one dual-stack socket, as in the original; IPv4
   * clients then see their address in IPv4-mapped form. Where the machine has several addresses, each gets a socket of its
   * own besides, so that responses come from the address that was asked.
   */
  readonly host?: string | undefined
  /** UDP port, 0 for a free one. Default {@link STUN_PORT}. */
  readonly port?: number | undefined
  /**
   * Whether other processes of the same user may bind the port too; the system spreads the datagrams over them.
   * Default: false.
   */
  readonly reusePort?: boolean | undefined
  /** For tests: the addresses of this machine. @internal */
  readonly readAddresses?: ReadAddresses | undefined
}

/** A STUN server; idle until `listen`, and unusable once closed. */
export interface StunServer {
  /** Requests and responses since the start. */
  readonly counters: Readonly<StunCounters>
  /** Answered and refused requests, by source family and reason. */
  readonly requests: StunRequestCounters
  /** Binds and starts answering; resolves to the address. Rejects if that fails or if called twice. */
  listen(): Promise<AddressPort>
  /** Frees the port; idempotent. */
  close(): Promise<void>
}

/**
 * A STUN server, as relays run it beside DERP.
 *
 * @throws RangeError for an invalid limit.
 * @example
 * ```ts
 * const server = createStunServer({ port: 3_478 })
 * const { address, port } = await server.listen()
 * console.log(server.counters)
 * await server.close()
 * ```
 */
export function createStunServer(options: StunServerOptions = {}): StunServer {
  return new DgramStunServer(options)
}

interface Binding {
  readonly type: 'udp4' | 'udp6'
  readonly address: string
}

const DUAL_STACK: Binding = { type: 'udp6', address: '::' }
const IPV4_ONLY: Binding = { type: 'udp4', address: '0.0.0.0' }
const ANY_HOSTS: ReadonlySet<string> = new Set(['', IPV4_ONLY.address, DUAL_STACK.address])
// The error codes of binding `::` on a machine without IPv6.
const NO_IPV6_CODES: ReadonlySet<unknown> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

class DgramStunServer implements StunServer {
  readonly #host: string
  readonly #port: number
  readonly #reusePort: boolean
  readonly #responder: StunResponder
  readonly #readAddresses: ReadAddresses
  readonly #clock: Clock
  /** While one socket is bound to all addresses, and may share its port. */
  #local: LocalSockets | undefined
  #state: 'new' | 'opened' | 'closed' = 'new'
  #opening: Promise<Socket> | undefined
  #closing: Promise<void> | undefined

  constructor(options: StunServerOptions) {
    const { host = '', port = STUN_PORT, reusePort = false, readAddresses = reachableAddresses, ...rest } = options
    this.#host = host
    this.#port = port
    this.#reusePort = reusePort
    this.#readAddresses = readAddresses
    this.#clock = rest.clock ?? systemClock
    this.#responder = new StunResponder(rest)
  }

  get counters(): Readonly<StunCounters> {
    return this.#responder.counters
  }

  get requests(): StunRequestCounters {
    return this.#responder.requests
  }

  async listen(): Promise<AddressPort> {
    if (this.#state !== 'new') throw new StunError('ERR_DERP_STUN_CLOSED', `start STUN server: already ${this.#state}`)
    this.#state = 'opened'
    this.#opening = this.#bind()
    const socket = await this.#opening
    if (this.#isClosed()) throw new StunError('ERR_DERP_STUN_CLOSED', 'start STUN server: closed during start')
    const { address, port } = this.#serve(socket).address()
    await this.#local?.start()
    return { address, port }
  }

  close(): Promise<void> {
    this.#state = 'closed'
    this.#closing ??= this.#shut()
    return this.#closing
  }

  async #shut(): Promise<void> {
    // A name lookup may be pending: the socket it leads to is closed too.
    const socket = await this.#opening?.catch(() => undefined)
    await this.#local?.close()
    if (socket !== undefined) await closeSocket(socket)
  }

  #serve(socket: Socket): Socket {
    socket.on('error', error => this.#responder.readFailed(error))
    return socket.on('message', (datagram, source) => this.#responder.receive(datagram, source, socket))
  }

  async #bind(): Promise<Socket> {
    if (!ANY_HOSTS.has(this.#host)) return bindSocket(await resolveHost(this.#host), this.#port, this.#reusePort)
    try {
      return await this.#bindToAll(DUAL_STACK)
    } catch (error) {
      if (!NO_IPV6_CODES.has((error as NodeJS.ErrnoException).code)) throw error
      return this.#bindToAll(IPV4_ONLY)
    }
  }

  /** Shares the port with sockets for single addresses, where the system lets sockets of one user share. */
  async #bindToAll(binding: Binding): Promise<Socket> {
    const shared = this.#reusePort ? await bindSocket(binding, this.#port, true) : await this.#bindAlone(binding)
    if (shared === undefined) return bindSocket(binding, this.#port)
    const { port } = shared.address()
    const { type } = binding
    const open = async (address: string) => {
      const isMapped = type === 'udp6' && !address.includes(':')
      return this.#serve(await bindSocket({ type, address: isMapped ? `::ffff:${address}` : address }, port, true))
    }
    this.#local = new LocalSockets({ readAddresses: this.#readAddresses, clock: this.#clock, open })
    return shared
  }

  /** Exclusively first: a socket that shares would not notice another program on the port. */
  async #bindAlone(binding: Binding): Promise<Socket | undefined> {
    const exclusive = await bindSocket(binding, this.#port)
    const { port } = exclusive.address()
    await closeSocket(exclusive)
    return bindSocket(binding, port, true).catch(() => undefined)
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }
}

async function resolveHost(host: string): Promise<Binding> {
  const { address, family } = await lookUpOne(host)
  return { type: family === 4 ? 'udp4' : 'udp6', address }
}

async function bindSocket({ type, address }: Binding, port: number, reusePort = false): Promise<Socket> {
  // All addresses passed to the socket are literal: resolving would only delay every response by a turn.
  const socket = createSocket({
    type,
    reusePort,
    lookup: (literal, _options, done) => done(null, literal, type === 'udp4' ? 4 : 6),
  })
  try {
    // Literal addresses bind immediately, so start waiting first.
    const listening = once(socket, 'listening')
    socket.bind({ port, address })
    await listening
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

async function closeSocket(socket: Socket): Promise<void> {
  const closed = once(socket, 'close')
  socket.close()
  await closed
}

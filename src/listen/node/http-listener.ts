/** HTTP servers that carry DERP: what they share, whether plain or over TLS. */

import type { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo, ListenOptions, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isForDerp, isUpgrade, type Routes, route } from '../../http/routes.ts'
import type { UpgradeHandler } from '../../http/upgrade/upgrade.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { AcceptDeadlines } from '../accept-deadline.ts'
import type { AcceptGate, AcceptLimits } from '../accept-limits.ts'
import { paceConnections } from '../accept-pace.ts'
import { noteSource } from '../client-address.ts'
import type { UpgradeHead } from '../upgrade-head.ts'
import { guardConnections } from './connection-stages.ts'
import { takeUpgradesEarly } from './early-upgrades.ts'
import type { ProxyGate } from './proxy-gate.ts'

/** Milliseconds a request may take to arrive (P-107). */
const REQUEST_TIMEOUT_MS = 30_000

/** Milliseconds without a byte either way, unless the options say otherwise. */
const IDLE_TIMEOUT_MS = 30_000

/** Milliseconds between two requests of one connection. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000

/** Requests of one connection; more are refused: answers that nobody reads must not pile up. */
const MAX_REQUESTS_PER_CONNECTION = 100

/** TLS handshakes that are begun in one turn of the event loop: each holds it for half a millisecond. */
const HANDSHAKES_PER_TURN = 1

export interface HttpListenerOptions {
  readonly routes: Routes
  /** Takes a request for `/derp` that asks for an upgrade. */
  readonly upgrade: UpgradeHandler
  readonly clock?: Clock
  /** Milliseconds from TCP accept to the login or the first request (P-035). */
  readonly acceptTimeoutMs: number
  /** Called for each connection that was too slow. */
  readonly onAcceptTimeout?: (socket: Socket) => void
  /** Which connections are taken at all (P-108, P-109). Default: all. */
  readonly limits?: AcceptLimits
  /** Proxies that are trusted, and may send PROXY headers (P-126). Several listeners may share it. Default: none. */
  readonly proxyGate?: ProxyGate | undefined
  /** Milliseconds without a byte either way after which a connection that is not upgraded ends. Default 30 s (P-107). */
  readonly idleTimeoutMs?: number
  /** Most bytes of a request's head (P-107). Default: Node's, 16 KiB. */
  readonly maxHeaderBytes?: number
  /** Milliseconds of silence after which TCP asks whether the other side is there; undefined for never (P-106). */
  readonly tcpKeepAliveMs?: number
}

type TcpOptions = Pick<ServerOptions, 'noDelay' | 'keepAlive' | 'keepAliveInitialDelay'>

/** What becomes of a listener's connections, for those who count. */
export interface ConnectionObserver {
  /** Connections are over TLS. Default: plain. */
  readonly isSecure?: boolean
  /** A connection was taken. */
  readonly accepted?: () => void
  /** A connection was closed at once, for a limit. */
  readonly refused?: () => void
  readonly request?: RequestObserver
}

/** How a port is bound. */
export interface BindOptions {
  /** Others of this process bind it as well, and the system spreads connections over them. Not all systems can. */
  readonly reusePort?: boolean
}

/** A server that is listening, or can be. */
export interface HttpListener {
  readonly server: Server
  /** Binds; port 0 chooses a free one. Rejects when it cannot. */
  listen(port: number, host?: string, options?: BindOptions): Promise<AddressInfo>
  /** Takes no more connections; those there are stay. */
  stopListening(): void
  /** Stops listening and ends what is not upgraded. */
  close(): Promise<void>
}

/** Tells of every request, upgraded or not; `lifetime` emits `close` when it is over. */
export type RequestObserver = (socket: Socket, lifetime: EventEmitter) => void

/** A plain HTTP listener for `options`. */
export function createHttpListener(options: HttpListenerOptions): HttpListener {
  return listenerOf(createServer(httpServerOptions(options)), options)
}

/** What servers for `options` are made with, plain or over TLS. */
export function httpServerOptions(options: HttpListenerOptions): ServerOptions {
  return {
    // Only DERP is upgraded; any other request keeps its answer whatever its Upgrade header says.
    shouldUpgradeCallback: request => isUpgrade(options.routes, request),
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: options.acceptTimeoutMs,
    ...(options.maxHeaderBytes !== undefined && { maxHeaderSize: options.maxHeaderBytes }),
    ...tcpOptions(options),
  }
}

/** What every accepted socket gets, whichever server accepts it (P-106). */
export function tcpOptions({ tcpKeepAliveMs }: Pick<HttpListenerOptions, 'tcpKeepAliveMs'>): TcpOptions {
  return {
    noDelay: true,
    ...(tcpKeepAliveMs !== undefined && { keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs }),
  }
}

/** Puts a server to work. */
export function listenerOf(
  server: Server,
  options: HttpListenerOptions,
  observer: ConnectionObserver = {},
): HttpListener {
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
  // Ends answers that nobody reads, too.
  server.timeout = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS
  const { proxyGate } = options
  const deadlines = new AcceptDeadlines(options.clock ?? systemClock, options.acceptTimeoutMs, socket =>
    options.onAcceptTimeout?.(socket),
  )
  takeUpgradesEarly(server, {
    event: observer.isSecure === true ? 'secureConnection' : 'connection',
    maxHeaderBytes: options.maxHeaderBytes,
    take: ({ request, head }, socket) => {
      const isTaken = isForDerp(options.routes, request)
      if (isTaken) upgrade(request, socket, head)
      return isTaken
    },
  })
  if (observer.isSecure === true) paceConnections(server, options.clock ?? systemClock, HANDSHAKES_PER_TURN)
  const limits = options.limits?.forListener()
  guardListener(server, { deadlines, limits, proxyGate, observer })
  server.on('request', (request, response) => {
    deadlines.end(request.socket)
    noteSource(request, proxyGate?.sourceOf(request.socket))
    observer.request?.(request.socket, response)
    route(options.routes, request, response)
  })
  const upgrade = (request: UpgradeHead, socket: Socket, head: Uint8Array) => {
    noteSource(request, proxyGate?.sourceOf(socket))
    observer.request?.(socket, socket)
    options.upgrade(request, socket, head, deadlines.end(socket))
  }
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    upgrade(request, socket as Socket, head)
  })
  return {
    server,
    listen: async (port, host, bindOptions) => {
      const address = await listen(server, { ...bindOptions, port, ...(host && { host }) })
      // One connection that the system does not give must not end all others.
      server.on('error', error => limits?.failed(error))
      return address
    },
    stopListening: () => {
      if (server.listening) server.close()
    },
    close: () => {
      const closed = close(server)
      deadlines.destroyPending()
      return closed
    },
  }
}

interface ListenerGuards {
  readonly deadlines: AcceptDeadlines
  readonly limits: AcceptGate | undefined
  readonly proxyGate: ProxyGate | undefined
  readonly observer: ConnectionObserver
}

/** Over TLS as well, what is guarded is the raw connection, before the handshake. The last guard is the first to look. */
function guardListener(server: Server, { deadlines, limits, proxyGate, observer }: ListenerGuards): void {
  const refuse = (socket: Socket) => {
    socket.destroy()
    observer.refused?.()
    return false
  }
  guardConnections(server, socket => {
    const address = proxyGate === undefined ? socket.remoteAddress : proxyGate.clientAddress(socket)
    if (limits?.admit(socket, address) === false) return refuse(socket)
    observer.accepted?.()
    return true
  })
  proxyGate?.guard(server)
  guardConnections(server, socket => {
    socket.on('error', () => {})
    if (limits?.open(socket) === false) return refuse(socket)
    deadlines.begin(socket)
    return !socket.destroyed
  })
}

function listen(server: Server, options: ListenOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.removeListener('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    if (server.listening) server.close(() => resolve())
    else resolve()
    server.closeAllConnections()
  })
}

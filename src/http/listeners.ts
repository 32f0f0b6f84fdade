/** HTTP servers that carry DERP: what they share, whether plain or over TLS. */

import type { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Clock, systemClock } from '../lib/clock.ts'
import { AcceptDeadlines } from './accept-deadline.ts'
import { isUpgrade, type Routes, route } from './routes.ts'
import type { UpgradeHandler } from './upgrade.ts'

/** Milliseconds a request may take to arrive. */
const REQUEST_TIMEOUT_MS = 30_000

/** Requests of one connection; more are refused: answers that nobody reads must not pile up. */
const MAX_REQUESTS_PER_CONNECTION = 100

export interface HttpListenerOptions {
  readonly routes: Routes
  /** Takes a request for `/derp` that asks for an upgrade. */
  readonly upgrade: UpgradeHandler
  readonly clock?: Clock
  /** Milliseconds from TCP accept to the login or the first request (P-035). */
  readonly acceptTimeoutMs: number
  /** Called for each connection that was too slow. */
  readonly onAcceptTimeout?: (socket: Socket) => void
}

/** A server that is listening, or can be. */
export interface HttpListener {
  readonly server: Server
  /** Binds; port 0 chooses a free one. Rejects when it cannot. */
  listen(port: number, host?: string): Promise<AddressInfo>
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
    noDelay: true,
  }
}

/** Puts a server to work. */
export function listenerOf(server: Server, options: HttpListenerOptions, observe?: RequestObserver): HttpListener {
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
  const deadlines = new AcceptDeadlines(options.clock ?? systemClock, options.acceptTimeoutMs, socket =>
    options.onAcceptTimeout?.(socket),
  )
  // Over TLS as well, this is the raw connection, before the handshake.
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    deadlines.begin(socket)
  })
  server.on('request', (request, response) => {
    deadlines.end(request.socket)
    observe?.(request.socket, response)
    route(options.routes, request, response)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    observe?.(socket as Socket, socket)
    options.upgrade(request, socket as Socket, head, deadlines.end(socket as Socket))
  })
  return {
    server,
    listen: (port, host) => listen(server, port, host),
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

function listen(server: Server, port: number, host: string | undefined): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host !== undefined && host !== '' && { host }) }, () => {
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

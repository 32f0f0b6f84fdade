/** HTTP listeners that carry DERP: the common part of plain and TLS. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type ListenOptions, type Server, type ServerOpts, type Socket } from 'node:net'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { AcceptDeadlines } from '../accept-deadline.ts'
import type { AcceptLimits } from '../accept-limits.ts'
import { AcceptPace } from '../accept-pace.ts'
import { type HttpService, isUpgrade } from '../http-service.ts'
import { LastAccepts } from '../last-accepts.ts'
import { type EarlyUpgrade, UpgradeHeadReader } from '../upgrade-head.ts'
import type { Connection } from './accepted-connection.ts'
import { begin, connectionStages, type TlsStages } from './connection-stages.ts'
import { NodeHttp, type NodeHttpOptions, type RequestObserver } from './node-http.ts'
import { EarlyRequest } from './node-request.ts'
import type { ProxyGate } from './proxy-gate.ts'
import { takeSocket } from './upgraded-socket.ts'

/** TLS handshakes started per turn of the event loop: each blocks it for half a millisecond. */
const HANDSHAKES_PER_TURN = 1

/** Options of {@link createHttpListener}. */
export interface HttpListenerOptions extends NodeHttpOptions {
  /** Milliseconds from TCP accept to the login or the first request; slower connections are closed. */
  readonly acceptTimeoutMs: number
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock
  /** Called for each connection that was too slow, once it is closed. */
  readonly onAcceptTimeout?: (socket: Socket) => void
  /** Limits on accepted connections. Default: none. */
  readonly limits?: AcceptLimits
  /** Trusted proxies that may send PROXY headers. Several listeners may share it. Default: none. */
  readonly proxyGate?: ProxyGate | undefined
  /** Idle milliseconds before TCP keep-alive probes. Default: none are sent. */
  readonly tcpKeepAliveMs?: number
}

type TcpOptions = Pick<ServerOpts, 'noDelay' | 'keepAlive' | 'keepAliveInitialDelay'>

/** Connection events, for counters. */
export interface ConnectionObserver {
  /** A connection was accepted. */
  readonly accepted?: () => void
  /** A connection was refused by a limit. */
  readonly refused?: () => void
  readonly request?: RequestObserver
}

/** How to bind a port. */
export interface BindOptions {
  /** Other threads bind it as well, and the system spreads connections over them, if it can. */
  readonly reusePort?: boolean
}

/** A server that can listen. */
export interface HttpListener {
  /** Accepts the connections. */
  readonly server: Server
  /** Binds; port 0 picks a free one, and without `host` all addresses are bound. Rejects with the system's error. */
  listen(port: number, host?: string, options?: BindOptions): Promise<AddressInfo>
  /** Accepts no more connections; existing ones stay. */
  stopListening(): void
  /** Stops listening and closes connections that are not upgraded. */
  close(): Promise<void>
}

/**
 * A plain HTTP listener.
 *
 * @example
 * ```ts
 * const { routes } = createRelay({ privateKey })
 * const listener = createHttpListener({ routes, acceptTimeoutMs: 10_000 })
 * const { port } = await listener.listen(3340, '127.0.0.1')
 * ```
 */
export function createHttpListener(options: HttpListenerOptions): HttpListener {
  // A client may half-close and still wait for its response.
  return listenerOf(createServer({ ...tcpOptions(options), allowHalfOpen: true }), options)
}

/** Options for every accepted socket (P-106). */
export function tcpOptions({ tcpKeepAliveMs }: Pick<HttpListenerOptions, 'tcpKeepAliveMs'>): TcpOptions {
  return {
    noDelay: true,
    ...(tcpKeepAliveMs !== undefined && { keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs }),
  }
}

/** Connects a TCP server to the stages; with `secure`, over TLS. */
export function listenerOf(
  server: Server,
  options: HttpListenerOptions,
  secure?: Omit<TlsStages, 'pace'>,
  observer: ConnectionObserver = {},
): HttpListener {
  const { clock = systemClock } = options
  const limits = options.limits?.forListener()
  const deadlines = new AcceptDeadlines(clock, options.acceptTimeoutMs, socket => options.onAcceptTimeout?.(socket))
  const http = new NodeHttp(options, clock, observer.request)
  const pace = new AcceptPace<Connection>(clock, HANDSHAKES_PER_TURN, connection => connection.proceed())
  const stages = connectionStages({
    limits,
    deadlines,
    proxyGate: options.proxyGate,
    tls: secure && { ...secure, pace },
    heads: options.upgrade === undefined ? new UpgradeHeadReader(options.maxHeaderBytes) : undefined,
    onAccepted: observer.accepted,
    onRefused: observer.refused,
    takeUpgrade: (connection, upgrade) => takeUpgrade(options.routes, connection, upgrade, observer.request),
    serveHttp: connection => http.serve(connection),
  })
  const last = new LastAccepts(clock, () => server.close())
  server.on('connection', (socket: Socket) => {
    last.accepted()
    begin(socket, stages)
  })
  return {
    server,
    listen: async (port, host, bindOptions) => {
      const address = await listen(server, { ...bindOptions, port, ...(host && { host }) })
      // Failing to accept one connection must not end all others.
      server.on('error', error => limits?.failed(error))
      return address
    },
    stopListening: () => {
      if (server.listening) last.finish()
      http.closeIdle()
    },
    close: () => {
      const closed = close(server)
      http.close()
      deadlines.destroyPending()
      return closed
    },
  }
}

/** Whether a DERP client is taken that node:http has not seen. */
function takeUpgrade(
  routes: HttpService,
  connection: Connection,
  { headers, head }: EarlyUpgrade,
  onRequest: RequestObserver | undefined,
): boolean {
  const { socket, source } = connection
  const answer = routes.answer(new EarlyRequest(headers, socket, source))
  if (!isUpgrade(answer)) return false
  onRequest?.(socket, socket)
  takeSocket(answer, { socket, head, acceptedAtMs: connection.liftDeadline() })
  return true
}

async function listen(server: Server, options: ListenOptions): Promise<AddressInfo> {
  const listening = once(server, 'listening')
  server.listen(options)
  await listening
  return server.address() as AddressInfo
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    if (server.listening) server.close(() => resolve())
    else resolve()
  })
}

/** HTTP listeners that carry DERP: what they share, whether plain or over TLS. */

import { type AddressInfo, createServer, type ListenOptions, type Server, type ServerOpts, type Socket } from 'node:net'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { AcceptDeadlines } from '../accept-deadline.ts'
import type { AcceptLimits } from '../accept-limits.ts'
import { AcceptPace } from '../accept-pace.ts'
import { UpgradeHeadReader } from '../upgrade-head.ts'
import type { Connection } from './connection.ts'
import { begin, connectionStages } from './connection-stages.ts'
import { HttpService, type HttpServiceOptions, type RequestObserver } from './http-service.ts'
import type { ProxyGate } from './proxy-gate.ts'
import type { TlsHandshakes } from './tls-handshakes.ts'

/** TLS handshakes that are begun in one turn of the event loop: each holds it for half a millisecond. */
const HANDSHAKES_PER_TURN = 1

export interface HttpListenerOptions extends HttpServiceOptions {
  readonly clock?: Clock
  /** Called for each connection that was too slow. */
  readonly onAcceptTimeout?: (socket: Socket) => void
  /** Which connections are taken at all (P-108, P-109). Default: all. */
  readonly limits?: AcceptLimits
  /** Proxies that are trusted, and may send PROXY headers (P-126). Several listeners may share it. Default: none. */
  readonly proxyGate?: ProxyGate | undefined
  /** Milliseconds of silence after which TCP asks whether the other side is there; undefined for never (P-106). */
  readonly tcpKeepAliveMs?: number
}

type TcpOptions = Pick<ServerOpts, 'noDelay' | 'keepAlive' | 'keepAliveInitialDelay'>

/** What becomes of a listener's connections, for those who count. */
export interface ConnectionObserver {
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
  /** Accepts the connections. */
  readonly server: Server
  /** Binds; port 0 chooses a free one. Rejects when it cannot. */
  listen(port: number, host?: string, options?: BindOptions): Promise<AddressInfo>
  /** Takes no more connections; those there are stay. */
  stopListening(): void
  /** Stops listening and ends what is not upgraded. */
  close(): Promise<void>
}

/** A plain HTTP listener for `options`. */
export function createHttpListener(options: HttpListenerOptions): HttpListener {
  // A client may end its side and still wait for its answer.
  return listenerOf(createServer({ ...tcpOptions(options), allowHalfOpen: true }), options)
}

/** What every accepted socket gets (P-106). */
export function tcpOptions({ tcpKeepAliveMs }: Pick<HttpListenerOptions, 'tcpKeepAliveMs'>): TcpOptions {
  return {
    noDelay: true,
    ...(tcpKeepAliveMs !== undefined && { keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs }),
  }
}

/** Puts a server of TCP to work; with `handshakes`, over TLS. */
export function listenerOf(
  server: Server,
  options: HttpListenerOptions,
  handshakes?: TlsHandshakes,
  observer: ConnectionObserver = {},
): HttpListener {
  const { clock = systemClock } = options
  const limits = options.limits?.forListener()
  const deadlines = new AcceptDeadlines(clock, options.acceptTimeoutMs, socket => options.onAcceptTimeout?.(socket))
  const http = new HttpService(options, observer.request)
  const pace = new AcceptPace<Connection>(clock, HANDSHAKES_PER_TURN, connection => connection.proceed())
  const stages = connectionStages({
    limits,
    deadlines,
    proxyGate: options.proxyGate,
    tls: handshakes && { pace, handshakes },
    heads: new UpgradeHeadReader(options.maxHeaderBytes),
    onAccepted: observer.accepted,
    onRefused: observer.refused,
    takeUpgrade: (connection, upgrade) => http.takeUpgrade(connection, upgrade),
    serveHttp: connection => http.serve(connection),
  })
  server.on('connection', (socket: Socket) => begin(socket, stages))
  server.once('listening', () => http.start())
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
      http.close()
      deadlines.destroyPending()
      return closed
    },
  }
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
  })
}

/** Serves HTTP on connections that a listener has accepted (P-107). */

import type { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isForDerp, isUpgrade, type Routes, route } from '../../http/routes.ts'
import type { UpgradeHandler } from '../../http/upgrade/upgrade.ts'
import { noteSource } from '../client-address.ts'
import type { EarlyUpgrade, UpgradeHead } from '../upgrade-head.ts'
import type { Connection } from './connection.ts'

/** Milliseconds for a request to arrive (P-107). */
const REQUEST_TIMEOUT_MS = 30_000
/** Default milliseconds without progress in either direction. */
const IDLE_TIMEOUT_MS = 30_000
/** Milliseconds between two requests on one connection. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000
/** Requests per connection; more are refused, because unread responses must not pile up. */
const MAX_REQUESTS_PER_CONNECTION = 100

/** Called for every request, upgraded or not; `lifetime` emits `close` when it has ended. */
export type RequestObserver = (socket: Socket, lifetime: EventEmitter) => void

export interface HttpServiceOptions {
  readonly routes: Routes
  /** Handles an upgrade request for `/derp`. */
  readonly upgrade: UpgradeHandler
  /** Milliseconds from TCP accept to the login or the first request (P-035). */
  readonly acceptTimeoutMs: number
  /** Milliseconds without progress after which a connection that is not upgraded is closed. Default 30 s (P-107). */
  readonly idleTimeoutMs?: number
  /** Maximum bytes of a request's head (P-107). Default: Node's, 16 KiB. */
  readonly maxHeaderBytes?: number
}

export class HttpService {
  readonly #options: HttpServiceOptions
  readonly #onRequest: RequestObserver | undefined
  /** Does not listen itself. */
  readonly #server: Server
  readonly #connections = new WeakMap<Socket, Connection>()

  constructor(options: HttpServiceOptions, onRequest: RequestObserver | undefined) {
    this.#options = options
    this.#onRequest = onRequest
    const server = createServer(serverOptions(options))
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
    // Also ends responses that no one reads.
    server.timeout = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS
    server.on('request', (request, response) => {
      this.#begin(request, response)?.liftDeadline()
      route(options.routes, request, response)
    })
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
      const connection = this.#begin(request, socket)
      // Sockets of node:http are net.Sockets; the type of its event is wider.
      options.upgrade(request, socket as Socket, head, connection?.liftDeadline())
    })
    this.#server = server
  }

  /** The listener is listening. */
  start(): void {
    // From this event on `node:http` enforces its request deadlines.
    this.#server.emit('listening')
  }

  /** Serves a connection, including its first bytes. */
  serve(connection: Connection): void {
    this.#connections.set(connection.socket, connection)
    this.#server.emit('connection', connection.socket)
  }

  /** Upgrades a connection that `node:http` has not seen; false if the request is for nothing here. */
  takeUpgrade(connection: Connection, { request, head }: EarlyUpgrade): boolean {
    const { routes, upgrade } = this.#options
    if (!isForDerp(routes, request)) return false
    const { socket, source } = connection
    noteSource(request, source)
    this.#onRequest?.(socket, socket)
    upgrade(request, socket, head, connection.liftDeadline())
    return true
  }

  /** Closes all connections that are not upgraded. */
  close(): void {
    this.#server.closeAllConnections()
  }

  #begin(request: UpgradeHead, lifetime: EventEmitter): Connection | undefined {
    const { socket } = request
    const connection = this.#connections.get(socket)
    noteSource(request, connection?.source)
    this.#onRequest?.(socket, lifetime)
    return connection
  }
}

function serverOptions({ routes, acceptTimeoutMs, maxHeaderBytes }: HttpServiceOptions): ServerOptions {
  return {
    // Only DERP is upgraded; other requests get their response whatever their Upgrade header says.
    shouldUpgradeCallback: request => isUpgrade(routes, request),
    // Must not be shorter than Node's timeout for the head, for which the accept deadline applies.
    requestTimeout: Math.max(REQUEST_TIMEOUT_MS, acceptTimeoutMs),
    headersTimeout: acceptTimeoutMs,
    ...(maxHeaderBytes !== undefined && { maxHeaderSize: maxHeaderBytes }),
  }
}

/** Serves HTTP on connections that a listener has accepted, by a server of `node:http` that never listens (P-107). */

import type { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import { type HttpDeadline, HttpDeadlines } from '../http-deadlines.ts'
import { type HttpAnswer, type HttpReply, type HttpService, isUpgrade } from '../http-service.ts'
import type { Connection } from './accepted-connection.ts'
import type { UpgradeHandler } from './node-mount.ts'
import { writeReply } from './node-reply.ts'
import { NodeRequest } from './node-request.ts'
import { takeSocket } from './upgraded-socket.ts'

/** Milliseconds to make a reply: a profile takes longest. */
const MAKE_TIMEOUT_MS = 120_000
/** Default milliseconds for the client to take a reply, or a piece of it. */
const TAKE_TIMEOUT_MS = 30_000
/** Milliseconds from a reply to the next request. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000
/** Maximum requests of one connection, so that replies that are not read cannot pile up. */
const MAX_REQUESTS_PER_CONNECTION = 100

const NO_HOST: HttpReply = {
  status: 400,
  headers: { Connection: 'close', 'Content-Type': 'text/plain; charset=utf-8' },
  body: '400 Bad Request: missing required Host header',
}

/** Called for every request, upgraded or not; `lifetime` emits `close` when it is over. */
export type RequestObserver = (socket: Socket, lifetime: EventEmitter) => void

export interface NodeHttpOptions {
  /** What is served. */
  readonly routes: HttpService
  /** Takes the sockets of requests that `routes` upgrades. Default: `routes` does. */
  readonly upgrade?: UpgradeHandler
  /**
   * Milliseconds that a client may take to read a reply, or a piece of one that comes in pieces. Default 30 s (P-107).
   */
  readonly idleTimeoutMs?: number
  /** Maximum bytes of a request's head (P-107). Default: 16 KiB. */
  readonly maxHeaderBytes?: number
}

/** An HTTP connection. */
interface Served {
  readonly connection: Connection
  readonly deadline: HttpDeadline
  /** It is closed, or upgraded. */
  readonly forget: () => void
}

export class NodeHttp {
  readonly #options: NodeHttpOptions
  readonly #onRequest: RequestObserver | undefined
  readonly #deadlines: HttpDeadlines
  readonly #server: Server
  readonly #served = new Map<Socket, Served>()
  /** Answers to requests with an `Upgrade` header, made before `node:http` decides what they are. */
  readonly #answers = new WeakMap<IncomingMessage, HttpAnswer | Promise<HttpReply>>()

  constructor(options: NodeHttpOptions, clock: Clock, onRequest: RequestObserver | undefined) {
    const { idleTimeoutMs: takeMs = TAKE_TIMEOUT_MS } = options
    this.#options = options
    this.#onRequest = onRequest
    this.#deadlines = new HttpDeadlines(clock, { makeMs: MAKE_TIMEOUT_MS, takeMs, nextMs: KEEP_ALIVE_TIMEOUT_MS })
    this.#server = this.#createServer(options)
  }

  /** Takes a connection whose first bytes can be read again. */
  serve(connection: Connection): void {
    const { socket } = connection
    const deadline = this.#deadlines.forConnection(() => socket.destroy())
    const forget = () => {
      deadline.cancel()
      this.#served.delete(socket)
      socket.off('close', forget)
    }
    this.#served.set(socket, { connection, deadline, forget })
    socket.once('close', forget)
    this.#server.emit('connection', socket)
  }

  /** Ends connections that wait for another request. */
  closeIdle(): void {
    for (const [socket, { connection, deadline }] of this.#served) {
      if (deadline.isIdle && connection.deadline === undefined) socket.destroy()
    }
  }

  /** Ends all connections that are not upgraded. */
  close(): void {
    for (const socket of this.#served.keys()) socket.destroy()
  }

  #createServer({ maxHeaderBytes }: NodeHttpOptions): Server {
    const server = createServer({
      // Only DERP is upgraded; any other request keeps its answer whatever its Upgrade header says.
      shouldUpgradeCallback: message => isUpgrade(this.#answer(message)),
      // Off: {@link HttpDeadlines} have these time limits.
      requestTimeout: 0,
      headersTimeout: 0,
      requireHostHeader: false,
      ...(maxHeaderBytes !== undefined && { maxHeaderSize: maxHeaderBytes }),
    })
    server.timeout = 0
    // Announced to clients, so that they do not use a connection that is about to end.
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
    server.on('request', (message, response) => this.#reply(message, response))
    // Sockets of node:http are sockets; the type of its event is wider.
    server.on('upgrade', (message, socket: Duplex, head) => this.#upgrade(message, socket as Socket, head))
    return server
  }

  #answer(message: IncomingMessage): HttpAnswer | Promise<HttpReply> {
    const source = this.#served.get(message.socket)?.connection.source
    const answer = this.#options.routes.answer(new NodeRequest(message, source))
    this.#answers.set(message, answer)
    return answer
  }

  #reply(message: IncomingMessage, response: ServerResponse): void {
    const { socket } = message
    const served = this.#served.get(socket)
    if (served === undefined) return
    const { connection, deadline } = served
    connection.liftDeadline()
    deadline.requested()
    response.once('close', () => {
      if (this.#served.has(socket)) deadline.answered()
    })
    this.#onRequest?.(socket, response)
    const hasHost = message.headersDistinct['host'] !== undefined || message.httpVersion !== '1.1'
    const answer = hasHost ? (this.#answers.get(message) ?? this.#answer(message)) : NO_HOST
    // Without a `Connection` header there is no upgrade (P-120): only replies are left.
    if (!isUpgrade(answer)) void writeReply(response, answer, deadline)
    else response.writeHead(426, { 'Content-Length': '0' }).end()
  }

  #upgrade(message: IncomingMessage, socket: Socket, head: Uint8Array): void {
    const served = this.#served.get(socket)
    const answer = this.#answers.get(message)
    if (served === undefined || answer === undefined || !isUpgrade(answer)) {
      socket.destroy()
      return
    }
    served.forget()
    this.#onRequest?.(socket, socket)
    const acceptedAtMs = served.connection.liftDeadline()
    const { upgrade } = this.#options
    if (upgrade === undefined) takeSocket(answer, { message, socket, head, acceptedAtMs })
    else upgrade(message, socket, head, acceptedAtMs)
  }
}

/** Requests for services, from `node:http` or from the first bytes of a connection. */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { AddressPort } from '../../lib/address-port.ts'
import { addressOf } from '../../transport/node-conn.ts'
import type { HttpHeaders, HttpRequest } from '../http-service.ts'

abstract class SocketRequest implements HttpRequest {
  abstract readonly method: string
  abstract readonly target: string
  abstract readonly version: string
  abstract readonly headers: HttpHeaders
  readonly isSecure: boolean
  readonly remote: AddressPort | undefined
  readonly #socket: Socket
  #left: AbortController | undefined

  /** @param source who is behind the connection, if a PROXY header has told. */
  constructor(socket: Socket, source: AddressPort | undefined) {
    this.#socket = socket
    this.isSecure = (socket as Partial<TLSSocket>).encrypted === true
    this.remote = source ?? addressOf(socket.remoteAddress, socket.remotePort)
  }

  get left(): AbortSignal {
    this.#left ??= this.#watch(new AbortController())
    return this.#left.signal
  }

  abstract readText(maxBytes: number): Promise<string | undefined>

  #watch(controller: AbortController): AbortController {
    if (this.#socket.destroyed) controller.abort()
    else this.#socket.once('close', () => controller.abort())
    return controller
  }
}

/** A request that `node:http` has read. */
export class NodeRequest extends SocketRequest {
  readonly method: string
  readonly target: string
  readonly version: string
  readonly headers: HttpHeaders

  readonly #message: IncomingMessage

  constructor(message: IncomingMessage, source?: AddressPort) {
    super(message.socket, source)
    this.#message = message
    // Express and similar frameworks remove the path at which a handler is mounted.
    const { originalUrl } = message as { readonly originalUrl?: unknown }
    this.method = message.method ?? ''
    this.target = typeof originalUrl === 'string' ? originalUrl : (message.url ?? '/')
    this.version = message.httpVersion
    this.headers = message.headersDistinct
  }

  async readText(maxBytes: number): Promise<string | undefined> {
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      for await (const chunk of this.#message.iterator({ destroyOnReturn: false })) {
        bytes += (chunk as Buffer).length
        if (bytes > maxBytes) return undefined
        chunks.push(chunk as Buffer)
      }
    } catch {
      // The client has left.
      return undefined
    }
    return Buffer.concat(chunks).toString('utf8')
  }
}

/** The request of a DERP client, read from its first bytes (P-120). */
export class EarlyRequest extends SocketRequest {
  readonly method = 'GET'
  readonly target = '/derp'
  readonly version = '1.1'
  readonly headers: HttpHeaders

  constructor(headers: HttpHeaders, socket: Socket, source: AddressPort | undefined) {
    super(socket, source)
    this.headers = headers
  }

  /** A request with a body is not taken this way. */
  async readText(): Promise<string> {
    return ''
  }
}

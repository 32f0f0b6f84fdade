/**
 * What a listener serves: requests and replies as plain values, and requests that become DERP connections.
 *
 * Only the listener knows the HTTP library of the platform.
 */

import type { AddressPort } from '../lib/address-port.ts'
import type { Conn } from '../transport/conn.ts'

/** A request. Its body stays unread unless `readText` is called. */
export interface HttpRequest {
  /** In upper case, such as `GET`. */
  readonly method: string
  /** As the client sent it: a path with its query, or a whole URL. */
  readonly target: string
  /** Version of HTTP, such as `1.1`. */
  readonly version: string
  /** The values of each header, by name in lower case. */
  readonly headers: HttpHeaders
  /** The other end of the connection, or the client that its PROXY header names; undefined once it is closed. */
  readonly remote: AddressPort | undefined
  /** Aborted when the connection closes. */
  readonly left: AbortSignal
  /** Whether it came over TLS, as far as this relay can see. */
  readonly isSecure: boolean
  /** Reads the body; undefined when it is longer than `maxBytes`, or the client leaves before its end. */
  readonly readText: (maxBytes: number) => Promise<string | undefined>
}

/** The values of each header, by name in lower case. */
export type HttpHeaders = Readonly<Record<string, readonly string[] | undefined>>

/** A reply; HEAD requests get it without its body. */
export interface HttpReply {
  /** HTTP status. */
  readonly status: number
  /** Headers of the reply. Default: those that HTTP requires. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * The body: text or bytes, sent with their length, or pieces as they come. Pieces are read no faster than the client
   * takes them, and no further once it has left. Undefined for a reply without body and length.
   */
  readonly body?: string | Uint8Array | AsyncIterable<string>
}

/** Turns the request's connection into one that carries DERP. */
export interface HttpUpgrade {
  /** What carries DERP from here on. */
  readonly protocol: 'derp' | 'websocket'
  /** Head of the response, line ends included; empty for a fast start. Not used for WebSocket, which has its own. */
  readonly responseHead: string
  /** The client, as trusted proxies name it. */
  readonly remote: AddressPort | undefined
  /** Takes the connection. @param acceptedAtMs when it was accepted, in milliseconds of the clock, if that is known. */
  readonly accept: (conn: Conn, acceptedAtMs: number | undefined) => void
}

/** A reply, or the grant of a connection. */
export type HttpAnswer = HttpReply | HttpUpgrade

/** What a listener serves. */
export interface HttpService {
  /** Answers one request. Must not throw; a rejection becomes status 500. */
  answer(request: HttpRequest): HttpAnswer | Promise<HttpReply>
}

export function isUpgrade(answer: HttpAnswer | Promise<HttpReply>): answer is HttpUpgrade {
  return 'accept' in answer
}

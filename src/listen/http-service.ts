/**
 * What a listener serves: requests and replies as plain values, and requests that become DERP connections.
 *
 * Only the listener knows the HTTP library of the platform.
 */

import type { AddressPort } from '../lib/address-port.ts'
import type { Conn } from '../transport/conn.ts'

/** A request. Its body is left where it is unless it is read. */
export interface HttpRequest {
  readonly method: string
  /** As the client has sent it: a path with its query, or a whole URL. */
  readonly target: string
  /** Of HTTP, such as `1.1`. */
  readonly version: string
  /** The values of each header, by name in lower case. */
  readonly headers: HttpHeaders
  /** The other end of the connection, or who is behind it by its PROXY header; undefined once it is closed. */
  readonly remote: AddressPort | undefined
  /** Aborted when the connection closes. */
  readonly left: AbortSignal
  /** Whether it came over TLS, as far as this relay can see. */
  readonly isSecure: boolean
  /** Reads the body; undefined when it is longer than `maxBytes`, or the client leaves before its end. */
  readonly readText: (maxBytes: number) => Promise<string | undefined>
}

export type HttpHeaders = Readonly<Record<string, readonly string[] | undefined>>

/** A reply; HEAD requests get it without its body. */
export interface HttpReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /**
   * The body: text, whose length the client is told, or pieces as they come. Reading of pieces stops when the client
   * leaves, and waits while it is slow. Undefined: there is none, and no length is told.
   */
  readonly body?: string | Uint8Array | AsyncIterable<string>
}

/** Grants a connection of DERP in place of a reply. */
export interface HttpUpgrade {
  readonly protocol: 'derp' | 'websocket'
  /** What the client is sent first, as text; not for WebSocket, which has its own answer. */
  readonly responseHead: string
  /** Who is at the other end, as far as proxies that are trusted tell. */
  readonly remote: AddressPort | undefined
  /** Takes the connection. @param acceptedAtMs when it was accepted, in milliseconds of the clock, if that is known. */
  readonly accept: (conn: Conn, acceptedAtMs: number | undefined) => void
}

export type HttpAnswer = HttpReply | HttpUpgrade

export interface HttpService {
  /** Answers one request, and is called once for each; must not throw. A rejection is status 500. */
  answer(request: HttpRequest): HttpAnswer | Promise<HttpReply>
}

export function isUpgrade(answer: HttpAnswer | Promise<HttpReply>): answer is HttpUpgrade {
  return 'accept' in answer
}

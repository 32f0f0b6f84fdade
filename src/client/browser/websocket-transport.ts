/**
 * The browser transport: a WebSocket with the subprotocol of DERP, using only web APIs.
 *
 * A browser does not tell why a WebSocket did not open, not even the HTTP status.
 * Clauses: P-150 upgrade, P-151 messages, P-154 client, P-155 token.
 */

import { abortedError, onAbort } from '../../lib/abort.ts'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { Log } from '../../lib/log.ts'
import type { Conn } from '../../transport/conn.ts'
import { WebSocketConn, type WebSocketShape } from '../../transport/websocket-conn.ts'
import { formatRelayUrl } from '../dial/relay-url.ts'
import { readToken, type TokenSource } from '../dial/token.ts'
import type { ClientTransport, DialedConn, DialRequest } from '../ports.ts'
import { pageClock } from './page-clock.ts'

const SUB_PROTOCOL = 'derp'

/** The part of the platform's WebSocket used before it is open. */
export interface OpeningWebSocket extends WebSocketShape {
  /** The subprotocol that the server chose; empty if none. Read once it is open. */
  readonly protocol: string
  /** The handshake has succeeded. */
  addEventListener(type: 'open', listener: () => void): void
  /** A message has arrived; anything but an `ArrayBuffer` ends the connection. */
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  /** It failed or ended, by a close code of RFC 6455: 1006 for nearly every failure. */
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void
  /** It failed; `close` follows. Only some platforms say why. */
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void
}

/** Options of {@link WebSocketTransport}. */
export interface WebSocketTransportOptions {
  /**
   * Bearer token, for relays that admit by token. It is sent as a subprotocol, because scripts in a browser cannot set
   * headers; in a URL it would end up in the logs of proxies.
   */
  readonly token?: TokenSource | undefined
  /** Further subprotocols to offer, such as one for a gateway in front of the relay. */
  readonly subProtocols?: readonly string[] | undefined
  /** Plain `ws:` to the nodes of regions, for development. */
  readonly useHttp?: boolean | undefined
  /** Creates a WebSocket. Default: the platform's. */
  readonly createWebSocket?: ((url: string, protocols: string[]) => OpeningWebSocket) | undefined
  /** Time and timers. Default: the platform's, which allow for frozen tabs. */
  readonly clock?: Clock | undefined
  /** Receives a debug line for each node that could not be reached. Default: nothing is logged. */
  readonly log?: Log | undefined
}

/**
 * Dials relays by URL.
 *
 * @example
 * ```ts
 * const transport = new WebSocketTransport({ token: 'the page’s token' })
 * const client = new Client(privateKey, url, { transport })
 * ```
 */
export class WebSocketTransport implements ClientTransport {
  /** As passed to the constructor. */
  protected readonly options: WebSocketTransportOptions
  /** Time and timers. */
  protected readonly clock: Clock

  /** Opens nothing yet. */
  constructor(options: WebSocketTransportOptions = {}) {
    this.options = options
    this.clock = options.clock ?? pageClock
  }

  async dial({ target, signal }: DialRequest): Promise<DialedConn> {
    if ('url' in target) return { conn: await this.open(target.url, signal) }
    throw new DerpError('ERR_DERP_CONFIG_INVALID', 'dial a region: use RegionClient')
  }

  /** Opens one WebSocket; the returned connection is not opened yet. */
  protected open(url: URL, signal: AbortSignal): Promise<Conn> {
    const { createWebSocket = platformWebSocket, subProtocols = [] } = this.options
    const token = readToken(this.options.token)
    const target = new URL(url)
    target.protocol = url.protocol.replace('http', 'ws')
    // A subprotocol may contain the characters of an HTTP token; `%` is one of them.
    const credentials = token === undefined ? [] : [`bearer.${encodeURIComponent(token)}`]
    const socket = createWebSocket(target.href, [SUB_PROTOCOL, ...credentials, ...subProtocols])
    const conn = new WebSocketConn(socket, { clock: this.clock })
    return new Promise((resolve, reject) => {
      const fail = (error: DerpError): void => {
        stopListening()
        conn.destroy()
        reject(error)
      }
      const refuse = (reason: string) => {
        const message = `open WebSocket to ${formatRelayUrl(url)}: ${reason}`
        fail(new DerpError('ERR_DERP_DIAL_FAILED', message, { clause: 'P-150' }))
      }
      const stopListening = onAbort(signal, aborted =>
        queueMicrotask(() => fail(abortedError('open WebSocket', aborted))),
      )
      socket.addEventListener('open', () => {
        if (socket.protocol !== SUB_PROTOCOL) refuse(`it speaks "${socket.protocol}" instead of DERP`)
        stopListening()
        resolve(conn)
      })
      socket.addEventListener('close', ({ code }) => refuse(explain(code)))
    })
  }
}

function platformWebSocket(url: string, protocols: string[]): OpeningWebSocket {
  return new WebSocket(url, protocols)
}

/** A page only gets a close code, which is 1006 for nearly every failure. */
function explain(code: number): string {
  return `closed with code ${code}: no relay there, an untrusted certificate, or refused by relay, proxy or page policy (connect-src)`
}

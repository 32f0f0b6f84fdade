/** Requests a tunnel from an HTTP proxy: CONNECT request and response (RFC 9110, section 9.3.6). Pure. */

import { formatAddressPort } from '../../lib/address-port.ts'
import { encodeUtf8 } from '../../lib/bytes.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { formatRelayUrl } from './relay-url.ts'
import { ResponseHeadReader } from './response-head.ts'

/**
 * A proxy has refused to open a tunnel.
 *
 * @example
 * ```ts
 * const client = new Client(privateKey, url, { proxyEnv: process.env })
 * await client.connect().catch(error => {
 *   if (error instanceof ProxyRefusedError && error.status === 407) console.log('wrong password of the proxy')
 * })
 * ```
 */
export class ProxyRefusedError extends DerpError {
  /** HTTP status; 407 means other credentials are required. */
  readonly status: number

  /** @internal */
  constructor(proxy: URL, target: string, status: number) {
    const reason = status === 407 ? ': other credentials required' : ''
    super(
      'ERR_DERP_PROXY_REFUSED',
      `connect to ${target} by proxy ${formatRelayUrl(proxy)}: refused with status ${status}${reason}`,
      { clause: 'P-224' },
    )
    this.status = status
  }
}

/** The target of a CONNECT request. */
export function tunnelTarget(host: string, port: number): string {
  return formatAddressPort({ address: host, port })
}

/** Bytes of the request, with the credentials from the proxy's URL. */
export function formatConnectRequest(proxy: URL, target: string): Uint8Array {
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`]
  if (proxy.username !== '' || proxy.password !== '') lines.push(`Proxy-Authorization: ${basicCredentials(proxy)}`)
  return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Reads the response; same shape as that of an upgrade. */
export class TunnelResponse {
  readonly #proxy: URL
  readonly #target: string
  readonly #head: ResponseHeadReader

  constructor(proxy: URL, target: string) {
    this.#proxy = proxy
    this.#target = target
    this.#head = new ResponseHeadReader(reason => this.#failed(reason))
  }

  /**
   * Adds bytes.
   *
   * @returns what follows the head of a 200; undefined if more is needed.
   * @throws ProxyRefusedError for another status, without waiting for a body.
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const head = this.#head.push(chunk)
    if (head === undefined) return undefined
    if (head.status === 200) return head.rest
    throw new ProxyRefusedError(this.#proxy, this.#target, head.status)
  }

  /** No more bytes will arrive. @throws always. */
  end(): never {
    throw this.#failed('connection closed before its response')
  }

  #failed(reason: string): DerpError {
    const proxy = formatRelayUrl(this.#proxy)
    return new DerpError('ERR_DERP_PROXY_FAILED', `connect to ${this.#target} by proxy ${proxy}: ${reason}`, {
      clause: 'P-224',
    })
  }
}

/** `Basic` and the credentials, which URLs store percent-encoded. */
function basicCredentials({ username, password }: URL): string {
  const bytes = encodeUtf8(`${decodePercent(username)}:${decodePercent(password)}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

/** A stray percent sign is taken literally. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

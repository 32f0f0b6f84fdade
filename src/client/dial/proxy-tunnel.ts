/** Asks an HTTP proxy for a tunnel: request and answer of CONNECT (RFC 9110, section 9.3.6). Pure. */

import { formatAddressPort } from '../../lib/address-port.ts'
import { encodeUtf8 } from '../../lib/bytes.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { formatRelayUrl } from './relay-url.ts'
import { ResponseHeadReader } from './response-head.ts'

/** A proxy has refused to open a tunnel. */
export class ProxyRefusedError extends DerpError {
  /** HTTP status; 407 asks for other credentials. */
  readonly status: number

  constructor(proxy: URL, target: string, status: number) {
    const reason = status === 407 ? ': it wants other credentials' : ''
    super(
      'ERR_DERP_PROXY_REFUSED',
      `connect to ${target} by proxy ${formatRelayUrl(proxy)}: refused with status ${status}${reason}`,
      { clause: 'P-224' },
    )
    this.status = status
  }
}

/** How a tunnel's end is named. */
export function tunnelTarget(host: string, port: number): string {
  return formatAddressPort({ address: host, port })
}

/** Bytes of the request, with the credentials of the proxy's URL. */
export function formatConnectRequest(proxy: URL, target: string): Uint8Array {
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`]
  if (proxy.username !== '' || proxy.password !== '') lines.push(`Proxy-Authorization: ${basicCredentials(proxy)}`)
  return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Reads the answer; the same shape as that to an upgrade. */
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
   * Takes the next bytes.
   *
   * @returns what follows the head of a 200; undefined when more is needed.
   * @throws ProxyRefusedError for another status; no body is waited for.
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const head = this.#head.push(chunk)
    if (head === undefined) return undefined
    if (head.status === 200) return head.rest
    throw new ProxyRefusedError(this.#proxy, this.#target, head.status)
  }

  /** No more will come. @throws always. */
  end(): never {
    throw this.#failed('connection closed before its answer')
  }

  #failed(reason: string): DerpError {
    const proxy = formatRelayUrl(this.#proxy)
    return new DerpError('ERR_DERP_PROXY_FAILED', `connect to ${this.#target} by proxy ${proxy}: ${reason}`, {
      clause: 'P-224',
    })
  }
}

/** `Basic` and user name and password, which URLs hold percent-encoded. */
function basicCredentials({ username, password }: URL): string {
  const bytes = encodeUtf8(`${decodePercent(username)}:${decodePercent(password)}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

/** A stray percent sign stands for itself. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * HTTP requests with keep-alive, proxies from the environment, and redirects.
 *
 * Certificates are checked against the authorities that the process trusts.
 */

import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { type ProxyEnv, ProxyRules } from '../client/node/node-proxy-rules.ts'
import { concatBytes } from '../lib/bytes.ts'

export interface HttpClientRequest {
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Makes it a POST instead of a GET. */
  readonly body?: string | Uint8Array
  readonly signal: AbortSignal
}

export interface HttpClientResponse {
  readonly status: number
  /** Reads the body. Rejects if it is longer than `maxBytes`, or cut off. */
  read(maxBytes: number): Promise<Uint8Array>
  /** Drops the body. */
  discard(): void
}

/** Go's limit. */
const MAX_REDIRECTS = 10
/** Redirects that keep method and body; others turn the request into a GET. */
const REPEATING: ReadonlySet<number> = new Set([307, 308])
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, ...REPEATING])
/** A server may close an idle connection just as it is reused; it has not processed the request then. */
const MAX_RETRIES = 2

export class HttpClient {
  readonly #rules: ProxyRules
  readonly #maxSockets: number
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>()

  /** @throws DerpError for a proxy that is not an http or https URL. */
  constructor(proxyEnv: ProxyEnv, maxSockets: number) {
    this.#rules = new ProxyRules(proxyEnv)
    this.#maxSockets = maxSockets
  }

  /** Resolves to the response after redirects, with any status. Rejects without a response. */
  async send(request: HttpClientRequest): Promise<HttpClientResponse> {
    let next = request
    for (let redirects = 0; ; redirects++) {
      const { url } = next
      const response = await this.#exchange(next)
      const { statusCode: status = 0 } = response
      const { location } = response.headers
      if (!REDIRECTS.has(status) || location === undefined) return responseOf(status, response, request.signal)
      response.resume()
      if (redirects === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`)
      next = redirected(next, new URL(location, url), REPEATING.has(status))
    }
  }

  /** Closes idle connections now, and others after their response. */
  close(): void {
    for (const agent of this.#agents.values()) {
      agent.maxFreeSockets = 0
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
    }
  }

  async #exchange(request: HttpClientRequest): Promise<IncomingMessage> {
    for (let retries = 0; ; retries++) {
      const sent = this.#begin(request)
      try {
        return await responseTo(sent)
      } catch (error) {
        if (!sent.reusedSocket || request.signal.aborted || retries === MAX_RETRIES) throw error
      }
    }
  }

  #begin({ url, headers = {}, body, signal }: HttpClientRequest): ClientRequest {
    const options = { method: body === undefined ? 'GET' : 'POST', headers, signal, agent: this.#agentFor(url) }
    const request = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options)
    return request.end(body)
  }

  #agentFor({ protocol, hostname, port }: URL): HttpAgent | HttpsAgent {
    const scheme = protocol === 'https:' ? 'https' : 'http'
    const host = hostname.replace(/^\[|\]$/g, '')
    const proxy = this.#rules.proxyFor({ scheme, host, port: Number(port) || (scheme === 'https' ? 443 : 80) })?.href
    const name = `${scheme} ${proxy}`
    let agent = this.#agents.get(name)
    if (agent === undefined) {
      const proxyEnv = proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }
      const options = { keepAlive: true, maxSockets: this.#maxSockets, ...proxyEnv }
      agent = scheme === 'https' ? new HttpsAgent(options) : new HttpAgent(options)
      this.#agents.set(name, agent)
    }
    return agent
  }
}

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request.on('response', resolve).on('error', reject))
}

function responseOf(status: number, response: IncomingMessage, signal: AbortSignal): HttpClientResponse {
  return {
    status,
    discard: () => void response.resume(),
    read: async maxBytes => {
      try {
        return await readBody(response, maxBytes)
      } catch (error) {
        // An aborted body does not fail with the abort reason by itself.
        throw signal.aborted ? signal.reason : error
      }
    },
  }
}

async function readBody(response: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`response longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return concatBytes(chunks)
}

function redirected(request: HttpClientRequest, url: URL, repeatsBody: boolean): HttpClientRequest {
  const { headers: { Authorization: password, ...others } = {}, body, signal } = request
  return {
    url,
    // The credentials are for the first host.
    headers:
      password !== undefined && url.origin === request.url.origin ? { Authorization: password, ...others } : others,
    ...(repeatsBody && body !== undefined && { body }),
    signal,
  }
}

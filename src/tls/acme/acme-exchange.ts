/**
 * The HTTP requests of one ACME order: limited in time and size, and cancelled with the order.
 *
 * Replaces the library's own HTTP layer, which retries for minutes on its own and then loses the reason.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { type Agent, request as requestHttps } from 'node:https'
import type { Clock } from '../../lib/clock.ts'
import { explainError, trustFixes, withFixes } from '../../lib/connection-fault.ts'

/** State shared by the requests of one order, and metadata of the last response. */
export interface AcmeExchange {
  /** For proxies and CA certificates. */
  readonly agent: Agent
  readonly clock: Clock
  readonly signal: AbortSignal
  /** How long the authority asked not to be contacted. */
  retryAfterMs?: number | undefined
  /** The problem type. */
  problem?: string | undefined
}

/** The exchange of the current request: the library calls one function for all orders. */
export const acmeExchanges: AsyncLocalStorage<AcmeExchange> = new AsyncLocalStorage()

/** A request as the library passes it. */
interface LibraryRequest {
  readonly url: string
  readonly method: string
  readonly headers: { toJSON(): Record<string, string> }
  readonly data?: string
}

/** Milliseconds without progress. */
const SILENCE_MS = 30_000

/** A certificate chain has some 10 kB. */
const MAX_BODY_BYTES = 1 << 20

/** An authority of one's own is trusted by that flag alone. */
const TRUST_FIXES = trustFixes('name the certificate of its CA in -acme-ca-file, and check -acme-directory')

/** Sends a request of the library; rejects without a complete response, naming the host. */
export async function sendAcme(request: LibraryRequest): Promise<object> {
  const exchange = acmeExchanges.getStore()
  if (exchange === undefined) throw new Error('request outside of an order')
  try {
    const response = await responseTo(request, exchange)
    const data = await readBody(response)
    const { statusCode: status = 0, headers } = response
    exchange.retryAfterMs = retryAfterMs(headers['retry-after'], exchange.clock)
    exchange.problem = status >= 400 ? problemOf(data) : undefined
    return { status, statusText: '', headers, data, config: request, request: {} }
  } catch (error) {
    throw new Error(`ask ${new URL(request.url).host}: ${withFixes(explainError(error), TRUST_FIXES)}`, {
      cause: error,
    })
  }
}

/** Redirects are not followed: ACME has none. */
function responseTo(asked: LibraryRequest, { agent, signal }: AcmeExchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { url, method, headers } = asked
    const options = { method: method.toUpperCase(), headers: headers.toJSON(), signal, timeout: SILENCE_MS }
    const request = url.startsWith('http:')
      ? requestHttp(url, options, resolve)
      : requestHttps(url, { ...options, agent }, resolve)
    request.on('timeout', () => request.destroy(new Error(`no response in ${SILENCE_MS / 1000} s`)))
    request.on('error', reject)
    request.end(asked.data)
  })
}

async function readBody(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('utf8')
  for await (const text of response) {
    body += text
    if (body.length > MAX_BODY_BYTES) throw new Error(`response of more than ${MAX_BODY_BYTES} bytes`)
  }
  return body
}

/** Milliseconds of a Retry-After header, which is in seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(header: string | undefined, clock: Clock): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.wallNow()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

function problemOf(body: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(body)
    const hasType = typeof problem === 'object' && problem !== null && 'type' in problem
    return hasType && typeof problem.type === 'string' ? problem.type : undefined
  } catch {
    return undefined
  }
}

/**
 * The requests to an authority that one order takes: bounded in time and size, and stopped with the order.
 *
 * Takes the place of the library's own way to send, which retries by itself, for minutes, and then loses the reason.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { type Agent, request as requestHttps } from 'node:https'
import type { Clock } from '../../lib/clock.ts'

/** What the requests of one order have in common, and what the last answer said besides its content. */
export interface AcmeExchange {
  /** Carries proxies and authorities to trust. */
  readonly agent: Agent
  readonly clock: Clock
  readonly signal: AbortSignal
  /** How long the authority wants to be left alone. */
  retryAfterMs?: number | undefined
  /** The type of its complaint. */
  problem?: string | undefined
}

/** The exchange that requests belong to: the library hands those of all orders to one function. */
export const acmeExchanges: AsyncLocalStorage<AcmeExchange> = new AsyncLocalStorage()

/** A request as the library has it. */
interface LibraryRequest {
  readonly url: string
  readonly method: string
  readonly headers: { toJSON(): Record<string, string> }
  readonly data?: string
}

/** Milliseconds without a byte. */
const SILENCE_MS = 30_000

/** A chain of certificates has some 10 kB. */
const MAX_BODY_BYTES = 1 << 20

/** Sends a request of the library's; rejects when there is no whole answer, with the host that gave none. */
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
    throw new Error(`ask ${new URL(request.url).host}: ${(error as Error).message}`, { cause: error })
  }
}

/** Redirections are not followed: the protocol has none. */
function responseTo(asked: LibraryRequest, { agent, signal }: AcmeExchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { url, method, headers } = asked
    const options = { method: method.toUpperCase(), headers: headers.toJSON(), signal, timeout: SILENCE_MS }
    const request = url.startsWith('http:')
      ? requestHttp(url, options, resolve)
      : requestHttps(url, { ...options, agent }, resolve)
    request.on('timeout', () => request.destroy(new Error(`no answer in ${SILENCE_MS / 1000} s`)))
    request.on('error', reject)
    request.end(asked.data)
  })
}

async function readBody(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('utf8')
  for await (const text of response) {
    body += text
    if (body.length > MAX_BODY_BYTES) throw new Error(`answer of more than ${MAX_BODY_BYTES} bytes`)
  }
  return body
}

/** Milliseconds of a Retry-After header, which has seconds or a date (RFC 9110 section 10.2.3). */
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

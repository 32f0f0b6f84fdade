/** Whether HTTP works, and whether a relay responds. */

import { oneLine } from '../../lib/one-line.ts'
import type { CauseId } from '../cause.ts'
import { openRoute } from '../connect.ts'
import { exchange, formatGet, type HttpOutcome, type HttpResponse } from '../http-exchange.ts'
import { proxyKind } from '../proxy-kind.ts'
import type { Examination, Step } from '../step.ts'
import { causeOfError, failed, messageOf, passed, type Verdict, warning } from '../verdict.ts'

/** A relay's response to a request without an upgrade. */
const RELAY_TEXT = /DERP requires connection upgrade/i
const DERP_PATH = '/derp'
/** Most characters shown of a response. */
const MAX_EXCERPT_LENGTH = 200
/** Clock difference in milliseconds that causes no problems with tickets, logs or certificates. */
const CLOCK_TOLERANCE_MS = 5 * 60_000

export const http: Step = {
  id: 'http',
  title: 'HTTP',
  layer: 'HTTP',
  after: ['tls'],
  silence: 'http-silent',
  needs: ({ openTcp, fetchStatus }) => openTcp !== undefined || fetchStatus !== undefined,
  async run(examination, signal) {
    const { platform, target } = examination
    if (platform.openTcp === undefined) return fetched(examination, signal)
    try {
      const answer = await get(examination, target.endpoint.url, signal)
      const isRefused = answer.kind !== 'response' || answer.status === 400
      if (isRefused && (await speaksTls(examination, signal))) return failed('http-to-tls', 'the URL says http', 'TLS')
      return answer.kind === 'response' ? await judge(examination, answer, signal) : unanswered(answer)
    } catch (error) {
      if (signal.aborted) throw error
      return lostBefore(error)
    }
  },
}

async function get({ platform, ...rest }: Examination, url: URL, signal: AbortSignal): Promise<HttpOutcome> {
  const conn = await openRoute({ platform, ...rest }, signal)
  return exchange(conn, formatGet(url), platform.clock, signal)
}

/** Whether the port of an http URL speaks TLS. */
async function speaksTls({ target, platform, findings }: Examination, signal: AbortSignal): Promise<boolean> {
  const { endpoint } = target
  const { route } = findings
  if (endpoint.url.protocol !== 'http:' || route === undefined) return false
  try {
    const inspection = await platform.inspectTls?.(route, endpoint, signal)
    inspection?.conn.destroy()
    return inspection !== undefined
  } catch (error) {
    if (signal.aborted) throw error
    return false
  }
}

/** Pages may only read the response to a latency check: relays allow it for all origins. */
async function fetched({ platform, target }: Examination, signal: AbortSignal): Promise<Verdict> {
  const url = new URL('/derp/latency-check', target.endpoint.url)
  try {
    const status = await platform.fetchStatus?.(url, signal)
    if (status === 200) return passed(`latency check: status ${status}`)
    return failed('other-site', `latency check: status ${status}`)
  } catch (error) {
    if (signal.aborted) throw error
    return failed(
      'http-closed',
      `${messageOf(error)}: ${platform.name} does not tell whether DNS, TCP, TLS or HTTP failed`,
    )
  }
}

async function judge(examination: Examination, response: HttpResponse, signal: AbortSignal): Promise<Verdict> {
  const { status, headers, text } = response
  if (!(status === 426 && RELAY_TEXT.test(text))) {
    const cause = await causeOfResponse(examination, response, signal)
    return failed(cause, describe(response))
  }
  const dateMs = Date.parse(headers.get('date') ?? '')
  const differMs = Math.abs(dateMs - examination.platform.clock.wallNow())
  if (differMs > CLOCK_TOLERANCE_MS)
    return warning('clock-off', `by ${Math.round(differMs / 60_000)} min from the server's`)
  const proxy = proxyKind(headers)
  return passed(proxy === undefined ? 'a relay answers' : `a relay answers, through ${proxy}`)
}

async function causeOfResponse(
  examination: Examination,
  { status, headers, text }: HttpResponse,
  signal: AbortSignal,
): Promise<CauseId> {
  if (status === 401 || status === 403 || status === 407 || status === 511) return 'sign-in'
  if (status >= 300 && status < 400) return isSignIn(headers.get('location') ?? '') ? 'sign-in' : 'redirected'
  if (status === 429) return 'rate-limited'
  if (status === 503 && /relay is going away/.test(text)) return 'going-away'
  if (status === 502 || status === 503 || status === 504 || (status >= 520 && status <= 526)) return 'behind-down'
  if (status >= 500) return 'server-error'
  if (status === 404 && /derp server disabled/i.test(text)) return 'derp-disabled'
  return (await isRelayAtDerp(examination, signal)) ? 'wrong-path' : 'other-site'
}

function isSignIn(location: string): boolean {
  return /log-?in|sign-?in|oauth|saml|\bsso\b|auth(?:orize|enticate)?\b|cdn-cgi\/access/i.test(location)
}

async function isRelayAtDerp(examination: Examination, signal: AbortSignal): Promise<boolean> {
  const { url } = examination.target.endpoint
  if (url.pathname === DERP_PATH) return false
  const answer = await get(examination, new URL(DERP_PATH, url), signal)
  return answer.kind === 'response' && answer.status === 426 && RELAY_TEXT.test(answer.text)
}

/** Status, proxy, redirect and the start of the body. */
export function describe({ status, headers, text }: HttpResponse): string {
  const proxy = proxyKind(headers)
  const location = headers.get('location')
  const parts = [
    `status ${status}${proxy === undefined ? '' : ` from ${proxy}`}`,
    location === undefined ? undefined : `to ${location}`,
    text === '' || text.startsWith('<') ? undefined : JSON.stringify(oneLine(text, MAX_EXCERPT_LENGTH)),
  ]
  return parts.filter(part => part !== undefined).join(', ')
}

/** HTTP/2 servers start with a SETTINGS frame: type 4 on stream 0. */
function isHttp2(bytes: Uint8Array): boolean {
  return bytes.length >= 9 && bytes[0] === 0 && bytes[3] === 4 && bytes.subarray(5, 9).every(byte => byte === 0)
}

function unanswered(answer: Exclude<HttpOutcome, HttpResponse>): Verdict {
  if (answer.kind === 'closed')
    return answer.error === undefined ? failed('http-closed', 'closed without a response') : lostBefore(answer.error)
  const { bytes } = answer
  if (isHttp2(bytes)) return failed('http2-only', 'received an HTTP/2 frame')
  const begin = Array.from(bytes.subarray(0, 8), byte => byte.toString(16).padStart(2, '0')).join(' ')
  return failed('not-http', `received bytes ${begin}`)
}

/** With TLS 1.3 a server rejects a client without a certificate only after the handshake. */
function lostBefore(error: unknown): Verdict {
  const text = messageOf(error)
  if (/certificate[ _]required/i.test(text)) return failed('client-certificate', text, 'TLS')
  const id = causeOfError(error, 'http-closed')
  return failed(id === 'reset' ? 'http-closed' : id, text)
}

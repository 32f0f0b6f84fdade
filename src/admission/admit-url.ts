/**
 * Asks an admission URL about each client (`-verify-client-url`).
 *
 * Clause: P-040.
 */

import { NodePrivateKey } from '../keys/node-key.ts'
import { type AddressPort, addressFrom16, addressTo16, ipFamilyOf } from '../lib/address-port.ts'
import { explainError, SYSTEM_TRUST_FIXES, withFixes } from '../lib/connection-fault.ts'
import { DerpError } from '../lib/derp-error.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import { parseInfo } from '../protocol/info-json.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { BackendHealth, type EffectOf } from './backend-health.ts'
import { HttpClient, type HttpClientResponse } from './http-client.ts'
import { isOwnShortage } from './own-shortage.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'
import { DEFAULTS, RequestQueue } from './request-queue.ts'

/** Milliseconds for request and response. */
const TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 4_096
const ANSWER = { what: 'answer', clause: 'P-040' }
/** Hardly said of a key alone: redirects, no or wrong password, no such path, no such method. */
const STATUSES_OF_WRONG_URLS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308, 401, 404, 405])
const EFFECT_OF_REFUSAL = 'until that is fixed, it admits nobody'

interface Answer {
  readonly status: number
  readonly verdict: Approval | Denial
}

export class AdmitUrl implements Policy {
  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #ports: AdmissionPorts
  readonly #watch: BackendHealth
  readonly #queue: RequestQueue
  readonly #http: HttpClient

  /**
   * @param url http or https; user name and password in it are sent as basic authentication.
   * @param effectOf what to log with a failure.
   * @throws DerpError for other URLs, and for an invalid proxy.
   */
  constructor(url: string, ports: AdmissionPorts, effectOf: EffectOf = () => '') {
    const { bare, authorization } = parseAdmissionUrl(url)
    const { requests = DEFAULTS, proxyEnv = {} } = ports
    this.#headers = {
      'Content-Type': 'application/json',
      ...(authorization !== undefined && { Authorization: authorization }),
    }
    this.#url = bare
    this.#ports = ports
    this.#watch = new BackendHealth('url', ports, effectOf)
    this.#queue = new RequestQueue('url', requests, ports.clock)
    this.#http = new HttpClient(proxyEnv, requests.maxRequests)
  }

  /** Why the last request failed, if it failed within the last `ms` milliseconds. */
  problemWithin(ms: number): string | undefined {
    return this.#watch.problemWithin(ms)
  }

  async admit(request: AdmissionRequest): Promise<Approval | Denial> {
    const { verdict } = await this.#watch.over(this.#queue.run(() => this.#request(request)))
    return verdict
  }

  /** Asks about a random key. Resolves to what is wrong if the URL does not respond, or hardly as it should. */
  async probe(): Promise<string | undefined> {
    const clientKey = NodePrivateKey.generate().publicKey()
    const asked = this.#request({ clientKey, remote: undefined })
    const problem = await this.#watch.probe(asked)
    if (problem !== undefined) return problem
    const { status } = await asked
    if (!STATUSES_OF_WRONG_URLS.has(status)) return undefined
    const reason = `ask admission URL ${this.#url.origin}: status ${status}; check its path (that of Headscale is /verify), user name and password`
    this.#ports.log.warn('admission URL looks wrong', { effect: EFFECT_OF_REFUSAL, reason })
    return `${reason}; ${EFFECT_OF_REFUSAL}`
  }

  /** Closes idle connections. */
  close(): void {
    this.#http.close()
  }

  async #request({ clientKey, remote }: Pick<AdmissionRequest, 'clientKey' | 'remote'>): Promise<Answer> {
    const stop = new AbortController()
    const timer = this.#ports.clock.after(TIMEOUT_MS, () => stop.abort(new Error(`no response after ${TIMEOUT_MS} ms`)))
    const body = JSON.stringify({ NodePublic: clientKey.toString(), Source: sourceOf(remote) })
    try {
      return await this.#answerOf(await this.#post(body, stop.signal))
    } finally {
      timer.cancel()
    }
  }

  async #post(body: string, signal: AbortSignal): Promise<HttpClientResponse> {
    try {
      return await this.#http.send({ url: this.#url, headers: this.#headers, body, signal })
    } catch (error) {
      throw this.#down(withFixes(explainError(error), SYSTEM_TRUST_FIXES), true, error)
    }
  }

  async #answerOf(response: HttpClientResponse): Promise<Answer> {
    const { status } = response
    if (status !== 200) {
      response.discard()
      // A backend failure says nothing about the client.
      if (status >= 500) throw this.#down(`status ${status}; look at the log of that server`, false)
      return { status, verdict: refused(`admission URL returned status ${status}`) }
    }
    const bytes = await this.#read(response)
    try {
      const { Allow: allow = false } = parseInfo(bytes, { Allow: 'boolean' }, ANSWER)
      return {
        status,
        verdict: allow ? { admit: true, by: 'admission URL' } : refused('admission URL does not allow it'),
      }
    } catch (error) {
      throw this.#down(`${(error as Error).message}; check its path (that of Headscale is /verify)`, false, error)
    }
  }

  async #read(response: HttpClientResponse): Promise<Uint8Array> {
    try {
      return await response.read(MAX_ANSWER_BYTES)
    } catch (error) {
      throw this.#down(explainError(error), false, error)
    }
  }

  #down(reason: string, isTransport: boolean, cause?: unknown): SourceDownError {
    const details = { isTransport, isOwn: isOwnShortage(cause), cause }
    return new SourceDownError('url', `ask admission URL ${this.#url.origin}: ${reason}`, details)
  }
}

/** The URL without user name and password, and the header to send them in. @throws DerpError, which shows neither. */
export function parseAdmissionUrl(text: string): { readonly bare: URL; readonly authorization: string | undefined } {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw badUrl('not an http or https URL such as https://headscale.example/verify')
  }
  try {
    const authorization = takeCredentials(url)
    return { bare: url, authorization }
  } catch {
    throw badUrl('invalid escape in user name or password; write % as %25')
  }
}

/** The URL is not shown: it may contain a password. */
function badUrl(reason: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `read admission URL: ${reason}`, { clause: 'P-040' })
}

/** Removes user name and password from the URL and returns the header. @throws URIError */
function takeCredentials(url: URL): string | undefined {
  const { username, password } = url
  if (username === '' && password === '') return undefined
  url.username = ''
  url.password = ''
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}

/** The address without port; IPv4 also from dual-stack sockets; empty if unknown. */
function sourceOf(remote: AddressPort | undefined): string {
  if (remote === undefined || ipFamilyOf(remote.address) === undefined) return ''
  return addressFrom16(addressTo16(remote.address))
}

function refused(reason: string): Denial {
  return { admit: false, cause: DenialReason.UrlRefused, reason }
}

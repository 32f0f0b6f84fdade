/**
 * Asks an admission URL about each client (`-verify-client-url`).
 *
 * Clause: P-040.
 */

import { type AddressPort, addressFrom16, addressTo16, ipFamilyOf } from '../lib/address-port.ts'
import { concatBytes } from '../lib/bytes.ts'
import { DerpError } from '../lib/derp-error.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import { parseInfo } from '../protocol/info-json.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { BackendHealth } from './backend-health.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'

/** Milliseconds for request and response. */
const TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 4_096
/** The error of `fetch` for a port blocked by its standard. */
const BAD_PORT = 'bad port'
const ANSWER = { what: 'answer', clause: 'P-040' }

export class AdmitUrl implements Policy {
  readonly #url: URL
  readonly #authorization: string | undefined
  readonly #ports: AdmissionPorts
  readonly #watch: BackendHealth

  /**
   * @param url http or https; user name and password in it are sent as basic authentication.
   * @throws DerpError for anything else.
   */
  constructor(url: string, ports: AdmissionPorts) {
    const { bare, authorization } = parseAdmissionUrl(url)
    this.#authorization = authorization
    this.#url = bare
    this.#ports = ports
    this.#watch = new BackendHealth('url', ports)
  }

  /** Why the last request failed, if it failed within the last `ms` milliseconds. */
  problemWithin(ms: number): string | undefined {
    return this.#watch.problemWithin(ms)
  }

  admit(request: AdmissionRequest): Promise<Approval | Denial> {
    return this.#watch.over(this.#ask(request))
  }

  async #ask({ clientKey, remote }: AdmissionRequest): Promise<Approval | Denial> {
    const stop = new AbortController()
    const timer = this.#ports.clock.after(TIMEOUT_MS, () => stop.abort(new Error(`no response after ${TIMEOUT_MS} ms`)))
    const body = JSON.stringify({ NodePublic: clientKey.toString(), Source: sourceOf(remote) })
    try {
      return await this.#verdictOf(await this.#post(body, stop.signal))
    } finally {
      timer.cancel()
    }
  }

  async #post(body: string, signal: AbortSignal): Promise<Response> {
    const headers = {
      'Content-Type': 'application/json',
      ...(this.#authorization !== undefined && { Authorization: this.#authorization }),
    }
    try {
      return await fetch(this.#url, { method: 'POST', headers, body, signal })
    } catch (error) {
      const reason = reasonOf(error)
      // The platform never connects to ports of other protocols; fail-open is not meant for that.
      if (reason === BAD_PORT)
        throw this.#down(`port ${this.#url.port} is blocked by the platform, choose another`, false, error)
      throw this.#down(reason, true, error)
    }
  }

  async #verdictOf(response: Response): Promise<Approval | Denial> {
    const { status } = response
    if (status !== 200) {
      await response.body?.cancel()
      // A backend failure says nothing about the client.
      if (status >= 500) throw this.#down(`status ${status}`, false)
      return refused(`admission URL returned status ${status}`)
    }
    const bytes = await this.#read(response)
    try {
      const { Allow: allow = false } = parseInfo(bytes, { Allow: 'boolean' }, ANSWER)
      return allow ? { admit: true, by: 'admission URL' } : refused('admission URL does not allow it')
    } catch (error) {
      throw this.#down((error as Error).message, false, error)
    }
  }

  async #read({ body }: Response): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let bytes = 0
    try {
      for await (const chunk of body ?? []) {
        bytes += chunk.length
        if (bytes > MAX_ANSWER_BYTES) throw new Error(`response longer than ${MAX_ANSWER_BYTES} bytes`)
        chunks.push(chunk)
      }
    } catch (error) {
      throw this.#down(reasonOf(error), false, error)
    }
    return concatBytes(chunks)
  }

  #down(reason: string, isTransport: boolean, cause?: unknown): SourceDownError {
    return new SourceDownError('url', `ask admission URL ${this.#url.origin}: ${reason}`, { isTransport, cause })
  }
}

/** The URL without user name and password, and the header to send them in. @throws DerpError, which shows neither. */
export function parseAdmissionUrl(text: string): { readonly bare: URL; readonly authorization: string | undefined } {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw badUrl('not an http or https URL')
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

/** The errors of `fetch` say little; their cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message
  return cause instanceof Error ? cause.message : error.message
}

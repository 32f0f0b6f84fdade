/**
 * Who may see the status page: those who see `/debug/`, and bearers of a token (P-175).
 *
 * A login form gives browsers a cookie in its place. The cookie is a signature under the token: it needs no store, holds
 * on every thread, and ends with the token.
 */

import { createHmac } from 'node:crypto'
import { bearerToken, firstHeader } from '../../http/header.ts'
import { equalConstantTime } from '../../keys/constant-time.ts'
import { encodeUtf8 } from '../../lib/bytes.ts'
import type { Clock } from '../../lib/clock.ts'
import type { HttpRequest } from '../../listen/http-service.ts'

const COOKIE = 'derper-status'
/** Seconds for which a login is valid. */
const SESSION_SECONDS = 12 * 3_600

export interface StatusAccessOptions {
  /** Whether a request may see `/debug/`. */
  readonly allows: (request: HttpRequest) => boolean
  /** The token; asked at each use, so that it can be changed. Undefined: there is none. */
  readonly readToken: () => string | undefined
  readonly clock: Clock
}

export class StatusAccess {
  readonly #options: StatusAccessOptions

  constructor(options: StatusAccessOptions) {
    this.#options = options
  }

  /** Whether logins are possible at all. */
  get hasToken(): boolean {
    return this.#token !== undefined
  }

  allows(request: HttpRequest): boolean {
    return this.#options.allows(request) || this.isToken(bearerToken(request) ?? '') || this.hasSession(request)
  }

  isToken(given: string): boolean {
    const token = this.#token
    return token !== undefined && isSame(given, token)
  }

  /** The header that logs a browser in. @param isSecure over TLS, beyond which the cookie then never goes. */
  sessionCookie(isSecure: boolean): string {
    const expiresAt = Math.floor(this.#options.clock.wallNow() / 1_000) + SESSION_SECONDS
    const value = `${expiresAt}.${this.#sign(expiresAt)}`
    return cookie(value, SESSION_SECONDS, isSecure)
  }

  /** The header that logs it out. */
  noCookie(isSecure: boolean): string {
    return cookie('', 0, isSecure)
  }

  get #token(): string | undefined {
    const token = this.#options.readToken()
    return token === '' ? undefined : token
  }

  /** Whether the request has a valid login. */
  hasSession(request: HttpRequest): boolean {
    const pattern = new RegExp(`(?:^|;\\s*)${COOKIE}=(\\d{1,12})\\.([\\w-]+)`)
    const [, expiry, signature = ''] = pattern.exec(firstHeader(request, 'cookie') ?? '') ?? []
    if (expiry === undefined || this.#token === undefined) return false
    const expiresAt = Number(expiry)
    return this.#options.clock.wallNow() < expiresAt * 1_000 && isSame(signature, this.#sign(expiresAt))
  }

  #sign(expiresAt: number): string {
    return createHmac('sha256', this.#token ?? '')
      .update(`${COOKIE} ${expiresAt}`)
      .digest('base64url')
  }
}

function cookie(value: string, seconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : ''
  return `${COOKIE}=${value}; Path=/debug/status; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`
}

function isSame(given: string, wanted: string): boolean {
  return equalConstantTime(encodeUtf8(given), encodeUtf8(wanted))
}

/** `/debug/status` and what belongs to it (P-175). */

import type { Page } from '../../http/page.ts'
import { queryOf } from '../../http/query.ts'
import { redirectTo } from '../../http/redirect.ts'
import { errorReply, replyOf } from '../../http/reply.ts'
import type { Clock } from '../../lib/clock.ts'
import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import type { DebugSource } from '../../status/relay-view.ts'
import type { MetricReader } from '../../status/snapshot.ts'
import { serveAssets } from '../assets.ts'
import { pageHeaders, pageReply } from '../page-html.ts'
import { readClientQuery } from './client-query.ts'
import { ClientTable } from './client-table.ts'
import { loginBody } from './login-html.ts'
import { StatusAccess } from './status-access.ts'
import { statusEvents } from './status-events.ts'
import { REFRESH, statusBody } from './status-html.ts'
import { StatusWatch } from './status-watch.ts'

const PATH = '/debug/status'
/** Viewers at a time, on each thread: each has a connection. */
const MAX_VIEWERS = 50
/** A form with a token is far shorter. */
const MAX_FORM_BYTES = 4_096
/** Clients in the page without script. */
const CLIENTS_SHOWN = 100

export interface StatusPageOptions {
  readonly source: DebugSource
  readonly metrics: MetricReader
  readonly clock: Clock
  /** Whether a request may see `/debug/`. */
  readonly allows: (request: HttpRequest) => boolean
  /** The token that opens the page to anybody; undefined for none. */
  readonly readToken: () => string | undefined
}

/** The pages by path. */
export function createStatusPages(options: StatusPageOptions): ReadonlyMap<string, Page> {
  const assets = serveAssets(PATH)
  const pages = new StatusPages(options, {
    style: assets.pathOf('status.css'),
    script: assets.pathOf('status.js'),
  })
  return new Map<string, Page>([
    ...assets.pages,
    [PATH, request => pages.page(request)],
    [`${PATH}/events`, request => pages.events(request)],
    [`${PATH}/clients`, request => pages.clients(request)],
    [`${PATH}/login`, request => pages.login(request)],
    [`${PATH}/logout`, request => pages.logout(request)],
  ])
}

class StatusPages {
  readonly #clock: Clock
  readonly #access: StatusAccess
  readonly #watch: StatusWatch
  readonly #table: ClientTable
  readonly #files: { readonly style: string; readonly script: string }
  #viewers = 0

  constructor({ source, metrics, clock, ...access }: StatusPageOptions, files: { style: string; script: string }) {
    this.#clock = clock
    this.#access = new StatusAccess({ ...access, clock })
    this.#watch = new StatusWatch(metrics, clock)
    this.#table = new ClientTable(source, clock)
    this.#files = files
  }

  async page(request: HttpRequest): Promise<HttpReply> {
    if (!this.#access.allows(request)) return this.#access.hasToken ? this.#loginForm(false) : denied()
    const first = { sort: 'rate', descending: true, filter: '', offset: 0, limit: CLIENTS_SHOWN } as const
    const [report, clients] = await Promise.all([this.#watch.report(), this.#table.rows(first)])
    const body = statusBody(report, clients, this.#access.hasSession(request))
    return pageReply({ title: `Relay status`, ...this.#files, body, head: REFRESH })
  }

  events(request: HttpRequest): HttpReply {
    if (!this.#access.allows(request)) return denied()
    if (this.#viewers >= MAX_VIEWERS) return errorReply(503, `${MAX_VIEWERS} viewers watch already; try again later`)
    return {
      status: 200,
      headers: { ...pageHeaders(), 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
      body: this.#counted(statusEvents(this.#watch, this.#clock, request.left)),
    }
  }

  async clients(request: HttpRequest): Promise<HttpReply> {
    if (!this.#access.allows(request)) return denied()
    const query = readClientQuery(queryOf(request))
    if (query === undefined) return errorReply(400, 'bad query: see sort, order, filter, offset and limit')
    return replyOf(200, 'application/json; charset=utf-8', JSON.stringify(await this.#table.rows(query)), pageHeaders())
  }

  async login(request: HttpRequest): Promise<HttpReply> {
    if (!this.#access.hasToken) return denied()
    if (request.method !== 'POST') return errorReply(405, 'method not allowed', { Allow: 'POST' })
    const form = new URLSearchParams((await request.readText(MAX_FORM_BYTES)) ?? '')
    if (!this.#access.isToken(form.get('token') ?? '')) return this.#loginForm(true)
    return redirectTo(request, 303, PATH, {
      ...pageHeaders(),
      'Set-Cookie': this.#access.sessionCookie(request.isSecure),
    })
  }

  logout(request: HttpRequest): HttpReply {
    if (request.method !== 'POST') return errorReply(405, 'method not allowed', { Allow: 'POST' })
    return redirectTo(request, 303, PATH, { ...pageHeaders(), 'Set-Cookie': this.#access.noCookie(request.isSecure) })
  }

  #loginForm(isRefused: boolean): HttpReply {
    const parts = { title: 'Log in', style: this.#files.style, body: loginBody(isRefused) }
    return isRefused ? pageReply(parts, 403) : pageReply(parts, 401, { 'WWW-Authenticate': 'Bearer' })
  }

  async *#counted(events: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
    this.#viewers++
    try {
      yield* events
    } finally {
      this.#viewers--
    }
  }
}

function denied(): HttpReply {
  return errorReply(403, 'debug access denied', pageHeaders())
}

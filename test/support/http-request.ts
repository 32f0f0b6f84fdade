/** Requests for pages under test. */

import type { HttpRequest } from '../../src/listen/http-service.ts'

interface RequestOptions {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Client address; undefined if its connection is closed. */
  readonly from?: string | undefined
  readonly left?: AbortSignal
  readonly body?: string
}

export function httpRequest({
  method = 'GET',
  target = '/',
  headers = {},
  from,
  left,
  body = '',
}: RequestOptions): HttpRequest {
  return {
    method,
    target,
    version: '1.1',
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    remote: from === undefined ? undefined : { address: from, port: 4711 },
    left: left ?? new AbortController().signal,
    isSecure: false,
    readText: async maxBytes => (body.length > maxBytes ? undefined : body),
  }
}

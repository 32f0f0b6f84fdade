/** Short replies, in the form of Go's net/http. */

import type { HttpReply } from '../listen/http-service.ts'

export function replyOf(
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return { status, headers: { ...headers, 'Content-Type': contentType }, body }
}

/** A one-line error. */
export function errorReply(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return replyOf(status, 'text/plain; charset=utf-8', `${text}\n`, { ...headers, 'X-Content-Type-Options': 'nosniff' })
}

/** Short replies, in the form of the original's: text, a line feed, no sniffing. */

import type { HttpReply } from '../listen/http-service.ts'

/** A reply with a body. */
export function replyOf(
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return { status, headers: { ...headers, 'Content-Type': contentType }, body }
}

/** An error of one line. */
export function errorReply(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return replyOf(status, 'text/plain; charset=utf-8', `${text}\n`, { ...headers, 'X-Content-Type-Options': 'nosniff' })
}

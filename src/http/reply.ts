/** Short answers, in the form of the original's: text, a line feed, no sniffing. */

import type { ServerResponse } from 'node:http'

/** Answers with an error of one line. */
export function sendError(response: ServerResponse, status: number, text: string): void {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`, { 'X-Content-Type-Options': 'nosniff' })
}

/** Answers with a body; its length is told. HEAD requests get the headers only. */
export function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, { ...headers, 'Content-Type': contentType, 'Content-Length': String(Buffer.byteLength(body)) })
    .end(response.req.method === 'HEAD' ? undefined : body)
}

/** Redirects as the original's HTTP library sends them. */

import { type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http'
import { escapeHtml } from './debug/debug-page.ts'

/** Answers with a redirect: a link in the body for GET, and no body for other methods. */
export function sendRedirect(
  response: ServerResponse,
  status: 302 | 307,
  location: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const { method } = response.req
  const isRead = method === 'GET' || method === 'HEAD'
  const body = method === 'GET' ? `<a href="${escapeHtml(location)}">${STATUS_CODES[status]}</a>.\n\n` : ''
  response
    .writeHead(status, {
      ...headers,
      Location: location,
      ...(isRead && { 'Content-Type': 'text/html; charset=utf-8' }),
      ...(method !== 'HEAD' && { 'Content-Length': String(Buffer.byteLength(body)) }),
    })
    .end(body)
}

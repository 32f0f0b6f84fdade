/** Redirects in the form of Go's net/http. */

import type { HttpReply, HttpRequest } from '../listen/http-service.ts'
import { escapeHtml } from './debug/html.ts'

const REASONS = { 302: 'Found', 303: 'See Other', 307: 'Temporary Redirect' } as const

/** The body has a link for GET, and is empty for other methods. */
export function redirectTo(
  { method }: Pick<HttpRequest, 'method'>,
  status: keyof typeof REASONS,
  location: string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  const isRead = method === 'GET' || method === 'HEAD'
  return {
    status,
    headers: { ...headers, Location: location, ...(isRead && { 'Content-Type': 'text/html; charset=utf-8' }) },
    ...(method !== 'HEAD' && {
      body: method === 'GET' ? `<a href="${escapeHtml(location)}">${REASONS[status]}</a>.\n\n` : '',
    }),
  }
}

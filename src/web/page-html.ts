/** The common part of all pages of this relay: the HTML frame, its files, and the content security policy. */

import { escapeHtml } from '../http/debug/html.ts'
import type { HttpReply } from '../listen/http-service.ts'

/** Only files of the relay itself are loaded, inline scripts and styles are blocked, framing is forbidden. */
const POLICY: Readonly<Record<string, string>> = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'form-action': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
}

/** For pages that show the state of the relay. */
const PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
})

export interface PageParts {
  readonly title: string
  /** Paths of its style sheet and its script. */
  readonly style: string
  readonly script?: string
  /** HTML. */
  readonly body: string
  /** More of the head, as HTML. */
  readonly head?: string
  /** Whether browsers are told that it has no icon; a policy that forbids `data:` forbids that too. Default true. */
  readonly icon?: boolean
  /** Directives that differ from those of all pages. */
  readonly policy?: Readonly<Record<string, string>>
}

/** Headers of a page, and of what is fetched for it. */
export function pageHeaders(policy: PageParts['policy'] = {}): Readonly<Record<string, string>> {
  const directives = Object.entries({ ...POLICY, ...policy }).map(([name, value]) => `${name} ${value}`)
  return { ...PAGE_HEADERS, 'Content-Security-Policy': directives.join('; ') }
}

export function pageReply(parts: PageParts, status = 200, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return {
    status,
    headers: { ...pageHeaders(parts.policy), 'Content-Type': 'text/html; charset=utf-8', ...headers },
    body: pageHtml(parts),
  }
}

function pageHtml({ title, style, script, body, head = '', icon = true }: PageParts): string {
  const noIcon = icon ? '<link rel="icon" href="data:,">\n' : ''
  const code = script === undefined ? '' : `<script type="module" src="${script}"></script>\n`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
${noIcon}<link rel="stylesheet" href="${style}">
${head}${code}</head>
<body>
${body}
</body>
</html>
`
}

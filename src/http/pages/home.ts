/** What is served at `/` and at every path that has no route of its own (P-163). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { DerpError } from '../../lib/derp-error.ts'
import { sendRedirect } from '../redirect.ts'
import { send } from '../reply.ts'
import { BROWSER_HEADERS } from './browser-headers.ts'

/** Answers one request. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void

/** What the home page shows. */
export interface HomePageOptions {
  /** The relay takes no DERP connections. */
  readonly disabled?: boolean
  /** Whether the visitor may see `/debug/`. */
  readonly allowDebug?: (request: IncomingMessage) => boolean
}

/** Only what a header can carry: with anything else each answer would fail. */
const REDIRECT = /^https?:\/\/[\x21-\x7e]+$/

const HTML = 'text/html; charset=utf-8'

/**
 * The handler for a value of the `-home` flag: empty for a page that says what this is, `blank` for an empty one,
 * an http or https URL for a redirect.
 *
 * @throws DerpError for any other value.
 */
export function homeHandler(value: string, options: HomePageOptions = {}): HttpHandler {
  if (value === '') {
    return (request, response) => {
      const debug = options.allowDebug?.(request) ?? false
      send(response, 200, HTML, homePage(options.disabled ?? false, debug), BROWSER_HEADERS)
    }
  }
  if (value === 'blank') return (_request, response) => send(response, 200, HTML, '', BROWSER_HEADERS)
  if (REDIRECT.test(value)) {
    return (_request, response) => sendRedirect(response, 302, value, BROWSER_HEADERS)
  }
  throw new DerpError(
    'ERR_DERP_CONFIG_INVALID',
    `set home to "${value}": not empty, "blank" or an http(s) URL in ASCII`,
  )
}

function homePage(disabled: boolean, debug: boolean): string {
  return `<!doctype html>
<html lang="en"><head><title>DERP</title></head><body>
<h1>DERP</h1>
<p>
  This is a DERP server: it relays end-to-end encrypted traffic between Tailscale and Headscale clients that
  cannot reach each other directly, and answers their STUN requests.
</p>
<ul>
  <li><a href="https://tailscale.com/kb/1232/derp-servers">About DERP</a></li>
  <li><a href="https://pkg.go.dev/tailscale.com/derp">Protocol and Go documentation</a></li>
</ul>
${disabled ? '<p>Status: <b>disabled</b></p>\n' : ''}${debug ? '<p>Debug info at <a href="/debug/">/debug/</a>.</p>\n' : ''}</body></html>
`
}

/** The home page, served at `/` and every unknown path (P-163). */

import { DerpError } from '../../lib/derp-error.ts'
import type { HttpRequest } from '../../listen/http-service.ts'
import type { Page } from '../page.ts'
import { redirectTo } from '../redirect.ts'
import { errorReply, replyOf } from '../reply.ts'
import { BROWSER_HEADERS } from './browser-headers.ts'

export interface HomePageOptions {
  /** The relay accepts no DERP connections. */
  readonly disabled?: boolean
  /** Whether the visitor may see `/debug/`. */
  readonly allowDebug?: (request: HttpRequest) => boolean
}

/** Only characters that are valid in a header. */
const REDIRECT = /^https?:\/\/[\x21-\x7e]+$/

/** What is wrong with any other value, for messages. */
export const HOME_KINDS = 'not empty, "blank", "404" or an http(s) URL in ASCII'

const HTML = 'text/html; charset=utf-8'

/**
 * The page for a value of the `-home` flag (P-169): empty for the default page, `blank` for an empty one, `404` for none,
 * an http or https URL for a redirect.
 *
 * @throws DerpError for any other value.
 */
export function homePage(value: string, options: HomePageOptions = {}): Page {
  if (value === '') {
    return request => {
      const debug = options.allowDebug?.(request) ?? false
      return replyOf(200, HTML, homeHtml(options.disabled ?? false, debug), BROWSER_HEADERS)
    }
  }
  if (value === 'blank') return () => replyOf(200, HTML, '', BROWSER_HEADERS)
  if (value === '404') return () => errorReply(404, '404 page not found', BROWSER_HEADERS)
  if (REDIRECT.test(value)) return request => redirectTo(request, 302, value, BROWSER_HEADERS)
  throw new DerpError('ERR_DERP_CONFIG_INVALID', `set home to "${value}": ${HOME_KINDS}`)
}

function homeHtml(disabled: boolean, debug: boolean): string {
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

/** What is served on port 80 beside TLS: the way to it, and what must work without (P-166). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { serveNoContent } from './generate-204.ts'
import { sendRedirect } from './redirect.ts'
import { sendError } from './reply.ts'
import { type Routes, route } from './routes.ts'

/** Hosts that may be repeated in an answer. */
const HOST = /^[\w.:[\]%~!$&'()*+,;=-]*$/

/**
 * The routes of the port-80 listener.
 *
 * @param main routes of the TLS listener; paths that begin with `/debug` go there.
 */
export function createPort80Routes(main: Routes): Routes {
  return {
    exact: new Map([['/generate_204', serveNoContent]]),
    fallback: (request, response) => sendToTls(main, request, response),
    debugFallback: (request, response) => route(main, request, response),
    takesDerp: false,
    allowsDebug: main.allowsDebug,
  }
}

function sendToTls(main: Routes, request: IncomingMessage, response: ServerResponse): void {
  const target = request.url ?? '/'
  if (target.startsWith('/debug')) {
    route(main, request, response)
    return
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendError(response, 400, 'Use HTTPS')
    return
  }
  const host = request.headers.host ?? ''
  if (!HOST.test(host)) {
    sendError(response, 400, 'malformed Host header')
    return
  }
  const path = target === '/' && main.allowsDebug(request) ? '/debug/' : target
  sendRedirect(response, 302, `https://${host}${path}`)
}

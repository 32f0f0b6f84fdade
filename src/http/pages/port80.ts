/** What is served on port 80 beside TLS: the way to it, and what must work without (P-147, P-166). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendRedirect } from '../redirect.ts'
import { send, sendError } from '../reply.ts'
import { readRequestPath } from '../request-path.ts'
import { type Routes, route } from '../routes.ts'
import { serveNoContent } from './generate-204.ts'
import type { HttpHandler } from './home.ts'

/** Answers to an authority. */
export interface ChallengeAnswers {
  /** What to answer to a path: null for one that nothing waits at, undefined for paths of others. */
  httpAnswer(path: string): string | null | undefined
}

/** Hosts that may be repeated in an answer. */
const HOST = /^[\w.:[\]%~!$&'()*+,;=-]*$/

/**
 * The routes of the port-80 listener.
 *
 * @param main routes of the TLS listener; paths that begin with `/debug` go there.
 * @param challenges answers that an authority comes for, if the relay asks one for certificates.
 */
export function createPort80Routes(main: Routes, challenges?: ChallengeAnswers): Routes {
  return {
    exact: new Map([['/generate_204', serveNoContent], ...healthOf(main)]),
    fallback: (request, response) => {
      if (challenges === undefined || !answerChallenge(challenges, request, response)) {
        sendToTls(main, request, response)
      }
    },
    debugFallback: (request, response) => route(main, request, response),
    takesDerp: false,
    allowsDebug: main.allowsDebug,
  }
}

/** A load balancer may ask on either port, and takes a redirect for an illness. */
function healthOf({ exact }: Routes): (readonly [path: string, handler: HttpHandler])[] {
  return ['/healthz', '/readyz'].flatMap(path => {
    const handler = exact.get(path)
    return handler === undefined ? [] : [[path, handler] as const]
  })
}

/** Whatever the host: the authority asks by the name, or the address, that it is to make sure of. */
function answerChallenge(challenges: ChallengeAnswers, request: IncomingMessage, response: ServerResponse): boolean {
  const answer = challenges.httpAnswer(readRequestPath(request.url ?? '/')?.path ?? '')
  if (answer === undefined) return false
  if (answer === null) sendError(response, 404, '404 page not found')
  else send(response, 200, 'text/plain', answer)
  return true
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

/** Port 80 beside TLS: redirects to it, and serves what must work without (P-147, P-166). */

import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import type { Endpoint } from '../page.ts'
import { redirectTo } from '../redirect.ts'
import { errorReply, replyOf } from '../reply.ts'
import { readRequestPath } from '../request-path.ts'
import { type Routes, routesOf } from '../routes.ts'
import { noContentPage } from './generate-204.ts'

/** Answers to HTTP-01 challenges. */
export interface ChallengeAnswers {
  /** The answer at a path; null for an unknown challenge, undefined for other paths. */
  httpAnswer(path: string): string | null | undefined
}

/** Hosts that may be echoed in a response. */
const HOST = /^[\w.:[\]%~!$&'()*+,;=-]*$/

/**
 * The routes of the port-80 listener.
 *
 * @param main routes of the TLS listener, which also serve paths that begin with `/debug`.
 * @param challenges answers to HTTP-01 challenges, with ACME certificates.
 */
export function createPort80Routes(main: Routes, challenges?: ChallengeAnswers): Routes {
  return routesOf({
    exact: new Map([['/generate_204', noContentPage], ...healthOf(main)]),
    fallback: request => challengeReply(request, challenges) ?? redirectToTls(main, request),
    debugFallback: request => main.answer(request),
    allowsDebug: main.allowsDebug,
  })
}

/** Load balancers may check either port, and treat a redirect as failure. */
function healthOf({ exact }: Routes): (readonly [path: string, endpoint: Endpoint])[] {
  return ['/healthz', '/readyz'].flatMap(path => {
    const endpoint = exact.get(path)
    return endpoint === undefined ? [] : [[path, endpoint] as const]
  })
}

/** For any Host: the authority requests by the name or address that it validates. */
function challengeReply({ target }: HttpRequest, challenges: ChallengeAnswers | undefined): HttpReply | undefined {
  const answer = challenges?.httpAnswer(readRequestPath(target)?.path ?? '')
  if (answer === undefined) return undefined
  return answer === null ? errorReply(404, '404 page not found') : replyOf(200, 'text/plain', answer)
}

function redirectToTls(main: Routes, request: HttpRequest): ReturnType<Endpoint> {
  const { target, method, headers } = request
  if (target.startsWith('/debug')) return main.answer(request)
  if (method !== 'GET' && method !== 'HEAD') return errorReply(400, 'Use HTTPS')
  const host = headers['host']?.[0] ?? ''
  if (!HOST.test(host)) return errorReply(400, 'malformed Host header')
  const path = target === '/' && main.allowsDebug(request) ? '/debug/' : target
  return redirectTo(request, 302, `https://${host}${path}`)
}

/** What is served on port 80 beside TLS: the way to it, and what must work without (P-147, P-166). */

import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import type { Endpoint } from '../page.ts'
import { redirectTo } from '../redirect.ts'
import { errorReply, replyOf } from '../reply.ts'
import { readRequestPath } from '../request-path.ts'
import { type Routes, routesOf } from '../routes.ts'
import { noContentPage } from './generate-204.ts'

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
  return routesOf({
    exact: new Map([['/generate_204', noContentPage], ...healthOf(main)]),
    fallback: request => challengeReply(request, challenges) ?? wayToTls(main, request),
    debugFallback: request => main.answer(request),
    allowsDebug: main.allowsDebug,
  })
}

/** A load balancer may ask on either port, and takes a redirect for an illness. */
function healthOf({ exact }: Routes): (readonly [path: string, endpoint: Endpoint])[] {
  return ['/healthz', '/readyz'].flatMap(path => {
    const endpoint = exact.get(path)
    return endpoint === undefined ? [] : [[path, endpoint] as const]
  })
}

/** Whatever the host: the authority asks by the name, or the address, that it is to make sure of. */
function challengeReply({ target }: HttpRequest, challenges: ChallengeAnswers | undefined): HttpReply | undefined {
  const answer = challenges?.httpAnswer(readRequestPath(target)?.path ?? '')
  if (answer === undefined) return undefined
  return answer === null ? errorReply(404, '404 page not found') : replyOf(200, 'text/plain', answer)
}

function wayToTls(main: Routes, request: HttpRequest): ReturnType<Endpoint> {
  const { target, method, headers } = request
  if (target.startsWith('/debug')) return main.answer(request)
  if (method !== 'GET' && method !== 'HEAD') return errorReply(400, 'Use HTTPS')
  const host = headers['host']?.[0] ?? ''
  if (!HOST.test(host)) return errorReply(400, 'malformed Host header')
  const path = target === '/' && main.allowsDebug(request) ? '/debug/' : target
  return redirectTo(request, 302, `https://${host}${path}`)
}

/** The parameters in the target of a request. */

import type { IncomingMessage } from 'node:http'

/** What follows the first `?`, decoded; empty when there is none. */
export function queryOf(request: IncomingMessage): URLSearchParams {
  const target = request.url ?? ''
  const at = target.indexOf('?')
  return new URLSearchParams(at === -1 ? '' : target.slice(at + 1))
}

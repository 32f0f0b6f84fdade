/** The parameters in the target of a request. */

import type { HttpRequest } from '../listen/http-service.ts'

/** What follows the first `?`, decoded; empty when there is none. */
export function queryOf({ target }: Pick<HttpRequest, 'target'>): URLSearchParams {
  const at = target.indexOf('?')
  return new URLSearchParams(at === -1 ? '' : target.slice(at + 1))
}

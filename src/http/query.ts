/** Query parameters of a request. */

import type { HttpRequest } from '../listen/http-service.ts'

export function queryOf({ target }: Pick<HttpRequest, 'target'>): URLSearchParams {
  const at = target.indexOf('?')
  return new URLSearchParams(at === -1 ? '' : target.slice(at + 1))
}

/** Request headers that may come more than once. */

import type { IncomingMessage } from 'node:http'

/** The first header of a name, as the original reads them; `node:http` would join all of them. */
export function firstHeader(request: IncomingMessage, name: string): string | undefined {
  return request.headersDistinct[name.toLowerCase()]?.[0]
}

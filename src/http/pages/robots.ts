/** `/robots.txt`: nothing here is for search engines (P-162). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { send } from '../reply.ts'
import { BROWSER_HEADERS } from './browser-headers.ts'

export function robotsHandler(_request: IncomingMessage, response: ServerResponse): void {
  send(response, 200, 'text/plain; charset=utf-8', 'User-agent: *\nDisallow: /\n', BROWSER_HEADERS)
}

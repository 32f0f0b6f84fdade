/** `/robots.txt`: disallows everything (P-162). */

import type { HttpReply } from '../../listen/http-service.ts'
import { replyOf } from '../reply.ts'
import { BROWSER_HEADERS } from './browser-headers.ts'

export function robotsPage(): HttpReply {
  return replyOf(200, 'text/plain; charset=utf-8', 'User-agent: *\nDisallow: /\n', BROWSER_HEADERS)
}

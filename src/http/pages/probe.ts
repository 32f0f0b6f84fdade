/** `/derp/probe` and `/derp/latency-check`: how clients without UDP measure their distance (P-160). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendError } from '../reply.ts'

/** Answers a latency probe with an empty 200. */
export function probeHandler(request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendError(response, 405, 'bogus probe method')
    return
  }
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.writeHead(200, { 'Content-Length': '0' }).end()
}

/** `/derp/probe` and `/derp/latency-check`: latency measurement for clients without UDP (P-160). */

import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import { errorReply } from '../reply.ts'

export function probePage({ method }: HttpRequest): HttpReply {
  if (method !== 'GET' && method !== 'HEAD') return errorReply(405, 'bogus probe method')
  return { status: 200, headers: { 'Access-Control-Allow-Origin': '*' }, body: '' }
}

/** `/generate_204`: captive portal detection (P-161). */

import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import { firstHeader } from '../header.ts'

/** Request header with the client's challenge. */
export const NO_CONTENT_CHALLENGE_HEADER = 'X-Tailscale-Challenge'
/** Response header with the reply to the challenge. */
export const NO_CONTENT_RESPONSE_HEADER = 'X-Tailscale-Response'

/** Valid challenges; others are ignored. */
const CHALLENGE = /^[a-zA-Z0-9.:_-]{1,64}$/

/** Responds with 204, and to a valid challenge. */
export function noContentPage(request: HttpRequest): HttpReply {
  const challenge = firstHeader(request, NO_CONTENT_CHALLENGE_HEADER.toLowerCase()) ?? ''
  return {
    status: 204,
    headers: {
      ...(CHALLENGE.test(challenge) && { [NO_CONTENT_RESPONSE_HEADER]: `response ${challenge}` }),
      'Cache-Control': 'no-cache, no-store, must-revalidate, no-transform, max-age=0',
    },
  }
}

/** `/generate_204`: how clients tell a captive portal from the open internet (P-161). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { firstHeader } from '../header.ts'

/** Request header with the client's challenge. */
export const NO_CONTENT_CHALLENGE_HEADER = 'X-Tailscale-Challenge'
/** Response header with the answer to it. */
export const NO_CONTENT_RESPONSE_HEADER = 'X-Tailscale-Response'

/** Challenges that are answered; others are ignored. */
const CHALLENGE = /^[a-zA-Z0-9.:_-]{1,64}$/

/** Answers 204 and the challenge, if there is an acceptable one. */
export function serveNoContent(request: IncomingMessage, response: ServerResponse): void {
  const challenge = firstHeader(request, NO_CONTENT_CHALLENGE_HEADER)
  if (challenge !== undefined && CHALLENGE.test(challenge)) {
    response.setHeader(NO_CONTENT_RESPONSE_HEADER, `response ${challenge}`)
  }
  response.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate, no-transform, max-age=0')
  response.writeHead(204).end()
}

/** Checks whether a host responds to the captive portal probe like a relay (P-161). */

import { randomBytes } from 'node:crypto'
import { hostInUrl } from '../../derpmap/endpoint.ts'

const TIMEOUT_MS = 3_000

/** False for anything but a relay's response: a redirect, another status, no response. */
export async function answersPlainHttp(host: string, port: number, signal?: AbortSignal): Promise<boolean> {
  const challenge = `derp-${randomBytes(8).toString('hex')}`
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await fetch(`http://${hostInUrl(host)}:${port}/generate_204`, {
      headers: { 'X-Tailscale-Challenge': challenge },
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    await response.body?.cancel()
    return response.status === 204 && response.headers.get('x-tailscale-response') === `response ${challenge}`
  } catch {
    return false
  }
}

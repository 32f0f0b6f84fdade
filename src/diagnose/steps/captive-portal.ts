/** Whether port 80 answers captive portal probes as relays do (P-161). */

import { ipFamilyOf } from '../../lib/address-port.ts'
import { exchange, formatGet, type HttpOutcome } from '../http-exchange.ts'
import type { Examination, Step } from '../step.ts'
import { blocked, fault, messageOf, passed, skipped, type Verdict } from '../verdict.ts'
import { describe } from './http.ts'

const CHALLENGE_HEADER = 'X-Tailscale-Challenge'
const RESPONSE_HEADER = 'x-tailscale-response'

export const captivePortal: Step = {
  id: 'captive-portal',
  title: 'Port 80',
  layer: 'HTTP',
  after: ['dns'],
  silence: 'port80-closed',
  isOptional: ({ target }) => !target.plainHttp?.isPromised,
  needs: ({ openTcp }) => openTcp !== undefined,
  async run(examination, signal) {
    const { target, findings, platform } = examination
    if (target.plainHttp === undefined) return skipped('the URL says http')
    const { port, isPromised } = target.plainHttp
    if (target.isFromMap && !isPromised) return skipped('the map does not set CanPort80')
    const address = findings.route?.address ?? findings.addresses[4][0] ?? findings.addresses[6][0]
    if (address === undefined || platform.openTcp === undefined) return blocked('the relay has no address')
    const challenge = `derp-${crypto.randomUUID().slice(0, 8)}`
    const { host } = target.endpoint
    const url = new URL(`http://${ipFamilyOf(host) === 6 ? `[${host}]` : host}:${port}/generate_204`)
    try {
      const conn = await platform.openTcp({ address, port }, signal)
      const request = formatGet(url, { [CHALLENGE_HEADER]: challenge })
      return judge(examination, isPromised, await exchange(conn, request, platform.clock, signal), challenge)
    } catch (error) {
      if (signal.aborted) throw error
      return fault(isPromised, 'port80-closed', messageOf(error))
    }
  },
}

function judge({ verdicts }: Examination, isPromised: boolean, answer: HttpOutcome, challenge: string): Verdict {
  if (answer.kind === 'closed') return fault(isPromised, 'port80-closed', 'closed without a response')
  if (answer.kind === 'other') return fault(isPromised, 'port80-other', 'not HTTP')
  const { status, headers } = answer
  const response = headers.get(RESPONSE_HEADER)
  if (status === 204 && response === `response ${challenge}`) return passed('status 204, challenge answered')
  if (status === 204) return fault(isPromised, 'port80-other', 'status 204, but no answer to the challenge')
  // If the relay itself responds, this is another web server on the same host, not a portal.
  const isPortal = status === 511 || (status < 400 && verdicts.get('http')?.status !== 'passed')
  return fault(isPromised, isPortal ? 'captive-portal' : 'port80-other', describe(answer))
}

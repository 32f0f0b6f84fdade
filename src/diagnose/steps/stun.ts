/** Whether STUN responds with an address that can be ours. */

import { formatAddressPort, type IpFamily, ipFamilyOf } from '../../lib/address-port.ts'
import { connectionFault } from '../../lib/connection-fault.ts'
import { isLocalOnly } from '../local-address.ts'
import type { StunAnswer } from '../platform.ts'
import type { Examination, Step } from '../step.ts'
import { failed, fault, messageOf, passed, skipped, type Verdict } from '../verdict.ts'

/** Share of a step's time; the rest is for the result. */
const SHARE_OF_TIME = 0.8

export const stun4: Step = stunStep('stun4', 4)
export const stun6: Step = stunStep('stun6', 6)

function stunStep(id: 'stun4' | 'stun6', family: IpFamily): Step {
  return {
    id,
    title: `STUN over IPv${family}`,
    layer: 'STUN',
    after: ['dns'],
    silence: 'stun-silent',
    needs: ({ askStun }) => askStun !== undefined,
    run: (examination, signal) => ask(examination, family, signal),
  }
}

async function ask(examination: Examination, family: IpFamily, signal: AbortSignal): Promise<Verdict> {
  const { target, platform, options } = examination
  const { stun } = target
  if (stun === undefined) return skipped('the map says STUNPort -1')
  const address = stunAddress(examination, family)
  if (address === undefined) return skipped(`the relay has no IPv${family} address`)
  const at = { address, port: stun.port }
  try {
    const answer = await platform.askStun?.(at, options.timeoutMs * SHARE_OF_TIME, signal)
    return answer === undefined ? skipped(`not possible in ${platform.name}`) : judge(answer, at.address)
  } catch (error) {
    if (signal.aborted) throw error
    const detail = `${formatAddressPort(at)}: ${messageOf(error)}`
    const found = connectionFault(error)?.id
    const isOnly = stunAddress(examination, 4) === undefined
    if (family === 6 && (found === 'unreachable' || found === 'no-ports')) {
      return isOnly && stun.isPromised
        ? failed('no-ipv6', detail)
        : skipped(`this machine has no IPv6 route (${messageOf(error)})`)
    }
    const isPromised = stun.isPromised && (family === 4 || isOnly || target.endpoint.addresses[6].from === 'map')
    return fault(isPromised, found === 'refused' ? 'stun-refused' : 'stun-silent', detail)
  }
}

function stunAddress({ target, findings }: Examination, family: IpFamily): string | undefined {
  const { address } = target.stun ?? {}
  if (address === undefined) return findings.addresses[family][0]
  return ipFamilyOf(address) === family ? address : undefined
}

/** Behind a container's userland proxy, all clients appear to come from the bridge. */
function judge({ address, port, rttMs }: StunAnswer, server: string): Verdict {
  const isSuspect = isLocalOnly(address) && (!isLocalOnly(server) || isLoopback(server) !== isLoopback(address))
  const shown = formatAddressPort({ address, port })
  if (isSuspect) return failed('stun-wrong-address', `${server} reports our address as ${shown}`)
  return passed(`our address: ${shown}, ${rttMs.toFixed(1)} ms`)
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** Whether the relay's addresses accept TCP connections. */

import { formatAddressPort, type IpFamily } from '../../lib/address-port.ts'
import type { CauseId } from '../cause.ts'
import { type Examination, type Step, StepTimeoutError, withinLimit } from '../step.ts'
import { causeOfError, failed, fault, messageOf, passed, skipped, type Verdict, warning } from '../verdict.ts'

/** Limit of addresses tried for one name. */
const MAX_ADDRESSES = 8

const NO_ROUTE: ReadonlySet<unknown> = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])

export const tcp4: Step = tcpStep('tcp4', 4)
export const tcp6: Step = tcpStep('tcp6', 6)

function tcpStep(id: 'tcp4' | 'tcp6', family: IpFamily): Step {
  return {
    id,
    title: `TCP over IPv${family}`,
    layer: 'TCP',
    after: ['dns'],
    silence: 'filtered',
    needs: ({ openTcp }) => openTcp !== undefined,
    run: (examination, signal) => connectAll(examination, family, signal),
  }
}

interface Attempt {
  readonly address: string
  readonly problem?: { readonly cause: CauseId; readonly text: string; readonly hasRoute: boolean }
}

/** Machines without IPv6 fail at once; that says nothing about the relay. */
function isWithoutRoute({ problem }: Attempt): boolean {
  return problem?.hasRoute === false
}

/** Tries every address: a broken one delays clients, and cuts off those that use no other. */
async function connectAll(examination: Examination, family: IpFamily, signal: AbortSignal): Promise<Verdict> {
  const { target, findings } = examination
  const addresses = findings.addresses[family].slice(0, MAX_ADDRESSES)
  if (addresses.length === 0) return skipped(`the relay has no IPv${family} address`)
  const attempts = await Promise.all(addresses.map(address => connectOne(examination, address, signal)))
  const good = attempts.find(({ problem }) => problem === undefined)
  const bad = attempts.find(({ problem }) => problem !== undefined)
  const { port } = target.endpoint
  if (good !== undefined) findings.route ??= { address: good.address, port }
  if (bad?.problem === undefined)
    return passed(addresses.map(address => formatAddressPort({ address, port })).join(', '))
  const { cause, text } = bad.problem
  const detail = `${formatAddressPort({ address: bad.address, port })}: ${text}`
  if (good !== undefined) return warning(cause, `${detail}; ${good.address} works`)
  if (family === 4) return failed(cause, detail)
  // Without an IPv4 address nothing else has failed, and nothing can connect.
  const isOnly = findings.addresses[4].length === 0
  if (attempts.every(isWithoutRoute)) {
    return isOnly ? failed('no-ipv6', detail) : skipped(`this machine has no IPv6 route (${text})`)
  }
  // IPv6 addresses that do not work are common and often go unnoticed.
  return fault(isOnly || target.endpoint.addresses[6].from === 'map', cause, detail)
}

async function connectOne(examination: Examination, address: string, signal: AbortSignal): Promise<Attempt> {
  const { platform, target } = examination
  const at = { address, port: target.endpoint.port }
  try {
    const conn = await withinLimit(
      examination,
      stop => platform.openTcp?.(at, stop) ?? Promise.reject(new Error('no TCP')),
      signal,
      // Leaves time for the result if an address does not respond.
      examination.options.timeoutMs * 0.8,
    )
    conn.destroy()
    return { address }
  } catch (error) {
    if (signal.aborted) throw error
    const isSilent = error instanceof StepTimeoutError || causeOfError(error, 'filtered') === 'timeout'
    const cause = isSilent ? 'filtered' : causeOfError(error, 'unreachable')
    const hasRoute = !NO_ROUTE.has((error as { readonly code?: unknown }).code)
    return { address, problem: { cause, text: messageOf(error), hasRoute } }
  }
}

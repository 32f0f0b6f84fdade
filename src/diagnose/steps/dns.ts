/** Resolves the relay's addresses and compares DNS with the map. */

import type { IpFamily } from '../../lib/address-port.ts'
import { connectionFault } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { Examination, Step } from '../step.ts'
import { failed, messageOf, passed, type Verdict, warning } from '../verdict.ts'

const FAMILIES: readonly IpFamily[] = [4, 6]
/** Addresses that DNS filters return. */
const NOWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

export const dns: Step = {
  id: 'dns',
  title: 'DNS',
  layer: 'DNS',
  after: [],
  silence: 'dns-failed',
  needs: ({ lookup }) => lookup !== undefined,
  async run(examination, signal) {
    const { addresses } = examination.target.endpoint
    if (FAMILIES.every(family => addresses[family].from === 'nowhere')) {
      return failed('no-address', 'IPv4 and IPv6 are both disabled')
    }
    const found = await Promise.all(FAMILIES.map(family => addressesOf(examination, family, signal)))
    const [v4 = NOTHING, v6 = NOTHING] = found
    examination.findings.addresses = { 4: v4.addresses, 6: v6.addresses }
    return verdictOf(examination, v4, v6, signal)
  },
}

interface Found {
  readonly addresses: readonly string[]
  readonly error?: unknown
}

const NOTHING: Found = { addresses: [] }

async function addressesOf({ target, platform }: Examination, family: IpFamily, signal: AbortSignal): Promise<Found> {
  const source = target.endpoint.addresses[family]
  if (source.from === 'map') return { addresses: [source.address] }
  if (source.from === 'nowhere' || platform.lookup === undefined) return NOTHING
  try {
    return { addresses: await platform.lookup(target.endpoint.host, family, signal) }
  } catch (error) {
    return { addresses: [], error }
  }
}

async function verdictOf(examination: Examination, v4: Found, v6: Found, signal: AbortSignal): Promise<Verdict> {
  const all = [...v4.addresses, ...v6.addresses]
  const error = v4.error ?? v6.error
  if (all.length === 0) return failed(causeOfLookup(error), messageOf(reasonOf(error)))
  const { host, addresses } = examination.target.endpoint
  const sunk = all.find(address => NOWHERE.has(address))
  if (sunk !== undefined) return failed('sinkholed', `${host} is ${sunk}`)
  const isStated = FAMILIES.some(family => addresses[family].from === 'map' && all[0] !== host)
  const differing = isStated ? await differences(examination, signal) : []
  if (differing.length > 0) return warning('dns-differs', differing.join(', '))
  return passed(all.join(', '))
}

/** Addresses in the map that DNS does not return. */
async function differences({ target, platform, findings }: Examination, signal: AbortSignal): Promise<string[]> {
  const { host, addresses } = target.endpoint
  const compared = FAMILIES.map(async family => {
    const source = addresses[family]
    if (source.from !== 'map') return undefined
    const byDns = (await platform.lookup?.(host, family, signal).catch(() => [])) ?? []
    const [stated] = findings.addresses[family]
    if (byDns.length === 0 || stated === undefined || byDns.includes(stated)) return undefined
    return `the map says ${stated}, DNS ${byDns.join(' and ')}`
  })
  return (await Promise.all(compared)).filter(each => each !== undefined)
}

/** The resolver's own words: the cause says the rest. */
function reasonOf(error: unknown): unknown {
  return error instanceof DerpError ? (error.cause ?? error) : error
}

/** Most resolvers report a name without addresses as unknown. */
function causeOfLookup(error: unknown): 'no-host' | 'dns-failed' {
  return connectionFault(error)?.id === 'no-host' ? 'no-host' : 'dns-failed'
}

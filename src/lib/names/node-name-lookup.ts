/** Addresses of host names, from the system: `/etc/hosts` and the like apply. */

import { lookup } from 'node:dns/promises'
import type { IpFamily } from '../address-port.ts'
import { systemClock } from '../clock.ts'
import { byRuntime } from '../runtime.ts'
import { bunNameLookup } from './bun-name-lookup.ts'
import type { NameAddress, NameLookup } from './name-address.ts'

/** `getaddrinfo` on the thread pool, of which Node keeps threads free for files. */
const lookUpBySystem: NameLookup = async (host, family) => {
  const addresses = await lookup(host, { all: true, order: 'verbatim', ...(family !== undefined && { family }) })
  return addresses.map(each => ({ address: each.address, family: each.family as IpFamily }))
}

/** An address resolves to itself. */
export const lookUpName: NameLookup = byRuntime({
  node: lookUpBySystem,
  bun: bunNameLookup(lookUpBySystem, systemClock),
})

/** One address, IPv4 if there is one. */
export async function lookUpOne(host: string, family?: IpFamily): Promise<NameAddress> {
  const addresses = await lookUpName(host, family)
  const found = addresses.find(each => each.family === 4) ?? addresses[0]
  if (found === undefined) throw new Error(`look up ${host}: no address`)
  return found
}

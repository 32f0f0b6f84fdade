/** Connects to the first of a host's addresses that responds (P-221, P-222). */

import { isIP, type Socket } from 'node:net'
import type { AddressSource, DerpEndpoint } from '../../derpmap/endpoint.ts'
import { abortable } from '../../lib/abort.ts'
import type { IpFamily } from '../../lib/address-port.ts'
import type { Clock } from '../../lib/clock.ts'
import { DerpError, isDerpError } from '../../lib/derp-error.ts'
import type { DnsCache } from '../dial/dns-cache.ts'
import { raceStaggered } from '../dial/happy-eyeballs.ts'
import { lookupSystem } from './node-dns.ts'
import { openTcp } from './node-socket.ts'

/** Milliseconds by which IPv4 is delayed if IPv6 is preferred (P-221). */
const HEAD_START_MS = 200
/** Milliseconds before the next address of a family is tried in parallel (RFC 8305, section 5). */
const NEXT_ADDRESS_MS = 300
/** Maximum addresses tried per family: DNS decides how many exist. */
const MAX_ADDRESSES = 8

export type TcpTarget = Pick<DerpEndpoint, 'host' | 'port' | 'addresses'>

/** Network access of a dial. */
export interface Network {
  readonly clock: Clock
  /** Without one the system is asked each time. */
  readonly dnsCache: DnsCache | undefined
  readonly preferIPv6: boolean
  /** Connects to an IP address. Default: {@link openTcp}. */
  readonly connect?: ((address: string, port: number, signal: AbortSignal) => Promise<Socket>) | undefined
}

/** @throws DerpError if no family is left, otherwise the error of the attempt that failed first. */
export async function dialTcp(target: TcpTarget, network: Network, signal: AbortSignal): Promise<Socket> {
  const order: readonly IpFamily[] = network.preferIPv6 ? [6, 4] : [4, 6]
  const families = order.filter(family => target.addresses[family].from !== 'nowhere')
  if (families.length === 0) {
    throw new DerpError('ERR_DERP_NODE_INVALID', `dial ${target.host}: both IPv4 and IPv6 are disabled`, {
      clause: 'P-222',
    })
  }
  const lookup = lookupOf(target.host, network.dnsCache, signal)
  const attempts = families.map(family => async (stop: AbortSignal) => {
    const addresses = await addressesOf(target.addresses[family], family, lookup)
    return raceAddresses(addresses, target, network, stop)
  })
  try {
    return await race(attempts, network.preferIPv6 ? HEAD_START_MS : 0, target, network, signal)
  } catch (error) {
    network.dnsCache?.expire?.(target.host)
    throw error
  }
}

type FamilyLookup = (family: IpFamily) => Promise<readonly string[]>

async function addressesOf(source: AddressSource, family: IpFamily, lookup: FamilyLookup): Promise<readonly string[]> {
  return source.from === 'map' ? [source.address] : lookup(family)
}

/** A cache answers for both families together, the system for each separately, so that neither waits for the other. */
function lookupOf(host: string, cache: DnsCache | undefined, signal: AbortSignal): FamilyLookup {
  if (cache === undefined) return family => abortable(lookupSystem(host, family), signal, `look up ${host}`)
  let asked: Promise<readonly string[]> | undefined
  return async family => {
    asked ??= cache.lookup(host, signal)
    const addresses = (await asked).filter(address => isIP(address) === family)
    if (addresses.length > 0) return addresses
    throw new DerpError('ERR_DERP_DNS_FAILED', `look up ${host}: no IPv${family} addresses`)
  }
}

function raceAddresses(
  addresses: readonly string[],
  target: TcpTarget,
  network: Network,
  signal: AbortSignal,
): Promise<Socket> {
  const { connect = openTcp } = network
  const attempts = addresses
    .slice(0, MAX_ADDRESSES)
    .map(address => (stop: AbortSignal) => connect(address, target.port, stop))
  return race(attempts, NEXT_ADDRESS_MS, target, network, signal)
}

async function race(
  attempts: readonly ((signal: AbortSignal) => Promise<Socket>)[],
  staggerMs: number,
  { host }: TcpTarget,
  { clock }: Network,
  signal: AbortSignal,
): Promise<Socket> {
  const discard = (late: Socket) => void late.destroy()
  try {
    return await raceStaggered({ attempts, staggerMs, clock, signal, action: `dial ${host}`, discard })
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error
    // Hosts with addresses of only one family are common: the lack of the other explains nothing.
    throw error.errors.find(each => !isDerpError(each, 'ERR_DERP_DNS_FAILED')) ?? error.errors[0]
  }
}

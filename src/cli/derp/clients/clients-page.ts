/** The page `/debug/clients/` of a relay: its query and its reply (P-189). Pure. */

import { decodeUtf8 } from '../../../lib/bytes.ts'
import { DerpError } from '../../../lib/derp-error.ts'

/** The query, by the names of the page's parameters. */
export interface ClientsWish {
  readonly ip?: string | undefined
  readonly cidr?: string | undefined
  readonly key?: string | undefined
  readonly app?: readonly string[] | undefined
  readonly sort?: string | undefined
  readonly limit?: number | undefined
  /** Opens the page from anywhere (P-190). */
  readonly debugKey?: string | undefined
}

/** One connection. Relays of other releases may lack fields. */
export interface ShownClient {
  readonly key: string
  readonly remote: string
  /** Nanoseconds. */
  readonly connected: number
  readonly flags: readonly string[]
  readonly appName: string
  readonly rxPkts: number
  readonly rxBytes: number
  readonly txPkts: number
  readonly txBytes: number
  /** Ours only. */
  readonly pendingBytes: number | undefined
  readonly roundTripMs: number | undefined
}

export interface ClientsPage {
  readonly query: string
  readonly conns: number
  readonly keys: number
  readonly remaining: number
  readonly clients: readonly ShownClient[]
}

/** The address of the page. @param relay any URL of the relay. */
export function clientsUrl(relay: URL, { debugKey, app = [], limit, ...filters }: ClientsWish): URL {
  const url = new URL('/debug/clients/', relay)
  const { sort, ...narrowing } = filters
  const chosen = Object.entries(narrowing).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  if (chosen.length === 0) url.searchParams.set('all', '1')
  for (const [name, value] of chosen) url.searchParams.set(name, value)
  for (const name of app) url.searchParams.append('app', name)
  if (sort !== undefined) url.searchParams.set('sort', sort)
  if (limit !== undefined) url.searchParams.set('limit', String(limit))
  if (debugKey !== undefined) url.searchParams.set('debugkey', debugKey)
  url.searchParams.set('format', 'json')
  return url
}

/** Reads the reply of `name`. @throws DerpError with the reason if it is not the page. */
export function readClientsPage(name: string, status: number, body: Uint8Array): ClientsPage {
  const text = decodeUtf8(body).trim()
  if (status === 404) {
    throw failed(name, `it has no page /debug/clients/; the original has one only in releases after v1.84.1`)
  }
  if (status === 403 && text.startsWith('debug access denied')) {
    throw failed(
      name,
      'debug access denied; ask on its machine at a loopback address, such as http://127.0.0.1, or from its tailnet, or pass its debug key by --token',
    )
  }
  // The relay names the invalid value.
  if (status === 400) throw new DerpError('ERR_DERP_CONFIG_INVALID', `show clients of ${name}: ${firstLine(text)}`)
  if (status !== 200) throw failed(name, `status ${status}: ${firstLine(text)}`)
  const page = parsed(text)
  if (page === undefined) throw failed(name, 'its reply is not a list of clients; is this a relay?')
  return page
}

function parsed(text: string): ClientsPage | undefined {
  try {
    const page = JSON.parse(text) as Readonly<Record<string, unknown>>
    if (!Array.isArray(page['clients'])) return undefined
    const { query, conns, keys, remaining } = page
    const clients = page['clients'].map(client => clientOf(client as Readonly<Record<string, unknown>>))
    return {
      query: textOf(query),
      conns: numberOf(conns),
      keys: numberOf(keys),
      remaining: numberOf(remaining),
      clients,
    }
  } catch {
    return undefined
  }
}

function clientOf(client: Readonly<Record<string, unknown>>): ShownClient {
  const { key, remote, connected, appName, rxPkts, rxBytes, txPkts, txBytes, pendingBytes, roundTripMs } = client
  return {
    key: textOf(key),
    remote: textOf(remote),
    connected: numberOf(connected),
    flags: flagsOf(client),
    appName: textOf(appName),
    rxPkts: numberOf(rxPkts),
    rxBytes: numberOf(rxBytes),
    txPkts: numberOf(txPkts),
    txBytes: numberOf(txBytes),
    pendingBytes: typeof pendingBytes === 'number' ? pendingBytes : undefined,
    roundTripMs: typeof roundTripMs === 'number' ? roundTripMs : undefined,
  }
}

/** As the page itself names them. */
function flagsOf({
  home,
  meshPeer,
  prober,
  notIdeal,
  dup,
  active,
  disabled,
}: Readonly<Record<string, unknown>>): string[] {
  const flags: readonly (readonly [unknown, string])[] = [
    [home, 'home'],
    [meshPeer, 'mesh'],
    [prober, 'prober'],
    [notIdeal, 'notideal'],
    [dup, active === true ? 'dup-active' : 'dup'],
    [disabled, 'disabled'],
  ]
  return flags.flatMap(([isSet, name]) => (isSet === true ? [name] : []))
}

const numberOf = (value: unknown) => (typeof value === 'number' ? value : 0)

/** Text of a stranger for a terminal: what is not printable is shown as a question mark. */
const textOf = (value: unknown) => (typeof value === 'string' ? value.replace(/[^\x20-\x7e]/g, '?') : '')

const firstLine = (text: string) => textOf(text.split('\n', 1)[0]).slice(0, 200)

function failed(name: string, reason: string): DerpError {
  return new DerpError('ERR_DERP_PROBE_FAILED', `show clients of ${name}: ${reason}`)
}

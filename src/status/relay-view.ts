/**
 * A relay as shown on debug pages. All results are promises, because with several workers they come by message.
 */

import { formatAddressPort } from '../lib/address-port.ts'
import type { Clock } from '../lib/clock.ts'
import { noRegistryCounts } from '../metrics/registry-counters.ts'
import type { Member, Registry } from '../server/registry.ts'
import type { RelayCore } from '../server/relay-core.ts'
import type { Session } from '../server/session.ts'
import type { RelaySnapshot } from './snapshot.ts'

/** One connection on `/debug/clients`. */
export interface ClientDetails {
  readonly key: string
  /** Address and port; empty if the transport does not know them. */
  readonly address: string
  /** ISO 8601. */
  readonly connectedSince: string
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly queuedPackets: number
  readonly pendingBytes: number
  readonly flags: readonly ClientFlag[]
  /** The client's application name; empty if unknown. */
  readonly appName: string
}

export type ClientFlag = 'home' | 'mesh' | 'prober' | 'not-ideal' | 'duplicate'

/** A page of connections in login order, and their total number. */
export interface ClientPage {
  readonly total: number
  readonly clients: readonly ClientDetails[]
}

/** Bytes moved on one connection since it began. */
export interface ConnectionTraffic {
  /** Unique per connection of the relay. */
  readonly id: string
  readonly key: string
  readonly sent: number
  readonly received: number
}

export interface DebugSource {
  snapshot(): Promise<RelaySnapshot>
  clients(offset: number, limit: number): Promise<ClientPage>
  traffic(): Promise<readonly ConnectionTraffic[]>
  /** Inconsistencies found; empty if none. */
  inconsistencies(): Promise<readonly string[]>
}

/** Connection statistics of one worker. */
export type SessionsSnapshot = Pick<RelaySnapshot, 'counters' | 'averageQueueMs' | 'pendingBytes' | 'pendingLogins'>

/** The source for a relay on one thread. */
export class CoreDebugSource implements DebugSource {
  readonly #core: RelayCore
  readonly #ids = new WeakMap<Session, string>()
  #lastId = 0

  constructor(core: RelayCore) {
    this.#core = core
  }

  async snapshot(): Promise<RelaySnapshot> {
    const { registry, rateLimit } = this.#core
    return { ...this.sessionsSnapshot(), ...registrySnapshot(registry), rateLimit }
  }

  /** Statistics of the relay's own connections. */
  sessionsSnapshot(): SessionsSnapshot {
    const { counters, queueAge, pendingLogins, sessions } = this.#core
    let pendingBytes = 0
    for (const session of sessions) pendingBytes += session.pendingBytes
    return { counters, averageQueueMs: queueAge.averageMs, pendingBytes, pendingLogins }
  }

  async clients(offset: number, limit: number): Promise<ClientPage> {
    const { sessions, options } = this.#core
    const page = [...sessions].slice(offset, offset + limit)
    return { total: sessions.size, clients: page.map(session => detailsOf(session, options.clock)) }
  }

  async traffic(): Promise<readonly ConnectionTraffic[]> {
    return Array.from(this.#core.sessions, session => ({
      id: this.#idOf(session),
      key: session.key.toString(),
      sent: session.bytesSent,
      received: session.bytesReceived,
    }))
  }

  async inconsistencies(): Promise<readonly string[]> {
    const { counters, registry } = this.#core
    return registry?.inconsistencies(counters.currentConnections) ?? []
  }

  #idOf(session: Session): string {
    let id = this.#ids.get(session)
    if (id === undefined) {
      id = String(++this.#lastId)
      this.#ids.set(session, id)
    }
    return id
  }
}

/** The part of a {@link Registry} that is shown. */
export type ShownRegistry = Pick<Registry<Member, unknown>, 'counters' | 'totalKeys' | 'localKeys' | 'watcherCount'>

/** Statistics of the registry; a worker has none of its own. */
export function registrySnapshot(
  registry: ShownRegistry | undefined,
): Pick<RelaySnapshot, 'registry' | 'totalKeys' | 'localKeys' | 'watchers'> {
  return {
    registry: registry?.counters ?? noRegistryCounts(),
    totalKeys: registry?.totalKeys ?? 0,
    localKeys: registry?.localKeys ?? 0,
    watchers: registry?.watcherCount ?? 0,
  }
}

/** The row of a session on `/debug/clients`. */
export function detailsOf(session: Session, clock: Clock): ClientDetails {
  const connectedAtMs = clock.wallNow() - (clock.now() - session.connectedAtMs)
  return {
    key: session.key.toString(),
    address: session.remote === undefined ? '' : formatAddressPort(session.remote),
    connectedSince: new Date(connectedAtMs).toISOString(),
    bytesReceived: session.bytesReceived,
    bytesSent: session.bytesSent,
    queuedPackets: session.queuedPackets,
    pendingBytes: session.pendingBytes,
    flags: flagsOf(session),
    appName: session.info.appName ?? '',
  }
}

function flagsOf(session: Session): ClientFlag[] {
  const flags: ClientFlag[] = []
  if (session.isPreferred) flags.push('home')
  if (session.canMesh) flags.push('mesh')
  if (session.info.isProber) flags.push('prober')
  if (session.notIdeal) flags.push('not-ideal')
  if (session.isDuplicate) flags.push('duplicate')
  return flags
}

/**
 * What the debug pages show of a relay. All answers are promises: the parts of a relay on several cores are a message
 * away.
 */

import { formatAddressPort } from '../lib/address-port.ts'
import type { Clock } from '../lib/clock.ts'
import { type Member, noRegistryCounts, type Registry } from '../server/registry.ts'
import type { RelayCore } from '../server/relay-core.ts'
import type { Session } from '../server/session.ts'
import type { RelaySnapshot } from './snapshot.ts'

/** One connection, as `/debug/clients` lists it. */
export interface ClientDetails {
  readonly key: string
  /** Address and port; empty when the transport does not know them. */
  readonly address: string
  /** ISO 8601. */
  readonly connectedSince: string
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly queuedPackets: number
  readonly pendingBytes: number
  readonly flags: readonly ClientFlag[]
  /** As the client calls its application; empty when it does not. */
  readonly appName: string
}

export type ClientFlag = 'home' | 'mesh' | 'prober' | 'not-ideal' | 'duplicate'

/** Some of the connections, in the order of their logins, and how many there are. */
export interface ClientPage {
  readonly total: number
  readonly clients: readonly ClientDetails[]
}

/** How much has moved on one connection since it began. */
export interface ConnectionTraffic {
  /** Tells the connection from all others of the relay. */
  readonly id: string
  readonly key: string
  readonly sent: number
  readonly received: number
}

export interface DebugSource {
  numbers(): Promise<RelaySnapshot>
  clients(offset: number, limit: number): Promise<ClientPage>
  traffic(): Promise<readonly ConnectionTraffic[]>
  /** What does not add up; empty when all is well. */
  inconsistencies(): Promise<readonly string[]>
}

/** Numbers of the connections of one part of a relay. */
export type WorkerPartSnapshot = Pick<RelaySnapshot, 'counters' | 'averageQueueMs' | 'pendingBytes' | 'pendingLogins'>

/** The source of a relay on one core. */
export class CoreDebugSource implements DebugSource {
  readonly #core: RelayCore
  readonly #ids = new WeakMap<Session, string>()
  #lastId = 0

  constructor(core: RelayCore) {
    this.#core = core
  }

  async numbers(): Promise<RelaySnapshot> {
    const { registry, rateLimit } = this.#core
    return { ...this.partNumbers(), ...registryNumbers(registry), rateLimit }
  }

  /** What is known of the relay's own connections, at this moment. */
  partNumbers(): WorkerPartSnapshot {
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

/** What is shown of a {@link Registry}. */
export type ShownRegistry = Pick<Registry<Member, unknown>, 'counters' | 'totalKeys' | 'localKeys' | 'watcherCount'>

/** Numbers of who is connected to the region; a part of a relay has none of its own. */
export function registryNumbers(
  registry: ShownRegistry | undefined,
): Pick<RelaySnapshot, 'registry' | 'totalKeys' | 'localKeys' | 'watchers'> {
  return {
    registry: registry?.counters ?? noRegistryCounts(),
    totalKeys: registry?.totalKeys ?? 0,
    localKeys: registry?.localKeys ?? 0,
    watchers: registry?.watcherCount ?? 0,
  }
}

/** What `/debug/clients` shows of a session. */
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

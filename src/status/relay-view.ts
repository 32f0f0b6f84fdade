/**
 * A relay as shown on debug pages. All results are promises, because with several workers they come by message.
 */

import { noRegistryCounts } from '../metrics/registry-counters.ts'
import type { Member, Registry } from '../server/registry.ts'
import type { RelayCore } from '../server/relay-core.ts'
import type { Session } from '../server/session.ts'
import { detailsOf } from './client-details.ts'
import {
  type ClientsPage,
  type ClientsPart,
  type ClientsQuery,
  mergeClients,
  type Numbering,
  OWN_NUMBERS,
  selectClients,
} from './clients-query.ts'
import type { RelaySnapshot } from './snapshot.ts'

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
  clients(query: ClientsQuery): Promise<ClientsPage>
  traffic(): Promise<readonly ConnectionTraffic[]>
  /** Inconsistencies found; empty if none. */
  inconsistencies(): Promise<readonly string[]>
}

/** Connection statistics of one worker. */
export type SessionsSnapshot = Pick<
  RelaySnapshot,
  'counters' | 'averageQueueMs' | 'pendingBytes' | 'pendingLogins' | 'heldBack'
>

/** The source for a relay on one thread. */
export class CoreDebugSource implements DebugSource {
  readonly #core: RelayCore
  /** What makes times of the relay's clock times of day; fixed, or a page would not continue where the last one ended. */
  readonly #wallOffsetMs: number
  readonly #ids = new WeakMap<Session, string>()
  #lastId = 0

  constructor(core: RelayCore) {
    this.#core = core
    const { clock } = core.options
    this.#wallOffsetMs = Math.round(clock.wallNow() - clock.now())
  }

  async snapshot(): Promise<RelaySnapshot> {
    const { registry, rateLimit } = this.#core
    return { ...this.sessionsSnapshot(), ...registrySnapshot(registry), rateLimit }
  }

  /** Statistics of the relay's own connections. */
  sessionsSnapshot(): SessionsSnapshot {
    const { counters, queueAge, pendingLogins, sessions, fairShare } = this.#core
    let pendingBytes = 0
    for (const session of sessions) pendingBytes += session.pendingBytes
    return {
      counters,
      averageQueueMs: queueAge.averageMs,
      pendingBytes,
      pendingLogins,
      heldBack: fairShare?.waiting ?? 0,
    }
  }

  async clients(query: ClientsQuery): Promise<ClientsPage> {
    return mergeClients([this.clientsPart(query, OWN_NUMBERS)], query)
  }

  /** The relay's own connections on a page. */
  clientsPart(query: ClientsQuery, numbering: Numbering): ClientsPart {
    const connectedAtMs = (session: Session) => session.connectedAtMs + this.#wallOffsetMs
    const details = (session: Session, connNum: number) => detailsOf(session, connNum, connectedAtMs(session))
    return selectClients(this.#core.sessions, query, { ...numbering, connectedAtMs, detailsOf: details })
  }

  async traffic(): Promise<readonly ConnectionTraffic[]> {
    return Array.from(this.#core.sessions, session => ({
      id: this.#idOf(session),
      key: session.key.toString(),
      sent: session.tally.bytesSent,
      received: session.tally.bytesReceived,
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

/** Debug pages for all workers together. */

import type { Clock } from '../../lib/clock.ts'
import type { ConnectionCounters } from '../../metrics/connection-counters.ts'
import { mergeCounters, type RelayCounters } from '../../metrics/counters.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import type { RateLimit } from '../../server/reading/rate-limit.ts'
import { type ClientsPage, type ClientsPart, type ClientsQuery, mergeClients } from '../../status/clients-query.ts'
import { type ConnectionTraffic, type DebugSource, registrySnapshot } from '../../status/relay-view.ts'
import type { RelaySnapshot } from '../../status/snapshot.ts'
import type { CheckedSnapshot } from '../channel/messages.ts'
import type { Membership } from './membership.ts'
import type { WorkerHandle } from './worker-handle.ts'
import type { WorkerHandles } from './worker-handles.ts'
import { WorkerTotals } from './worker-totals.ts'

/** Milliseconds for a worker to answer; after that its last answer is used. */
const ANSWER_TIMEOUT_MS = 2_000

/**
 * Workers number their connections independently: theirs times this, plus the number of the worker, is unique unless a
 * worker outlives this many replacements.
 */
const NUMBERING_STEP = 1_000

/** The coordinator's own statistics. */
export interface OwnSnapshot {
  readonly clock: Clock
  /** The coordinator's counters. */
  readonly counters: RelayCounters
  readonly rateLimit: () => RateLimit | undefined
}

/** Statistics of all workers together. */
export interface WholeSnapshot {
  readonly relay: RelaySnapshot
  readonly http: HttpCounters
  /** Undefined if no worker counts them. */
  readonly connections: ConnectionCounters | undefined
}

/** A worker's statistics, with what the coordinator knew when they arrived. */
interface Compared {
  readonly handle: WorkerHandle
  readonly snapshot: CheckedSnapshot
  readonly sessionsTold: number
  /** Undefined if the worker did not have the full state yet. */
  readonly keysTold: number | undefined
}

export class CoordinatorSource implements DebugSource {
  readonly #handles: WorkerHandles
  readonly #membership: Membership
  readonly #own: OwnSnapshot
  readonly #totals = new WorkerTotals<WorkerHandle>()

  constructor(handles: WorkerHandles, membership: Membership, own: OwnSnapshot) {
    this.#handles = handles
    this.#membership = membership
    this.#own = own
  }

  async snapshot(): Promise<RelaySnapshot> {
    return (await this.whole()).relay
  }

  async whole(): Promise<WholeSnapshot> {
    await this.#compare()
    return this.lastWhole()
  }

  /** The same from the last known answers. */
  lastWhole(): WholeSnapshot {
    const { http, connections, ...sum } = this.#totals.sum()
    const counters = mergeCounters([sum.counters, this.#own.counters])
    const { registry } = this.#membership
    return {
      relay: { ...sum, counters, ...registrySnapshot(registry), rateLimit: this.#own.rateLimit() },
      http,
      connections,
    }
  }

  async clients(query: ClientsQuery): Promise<ClientsPage> {
    const parts: ClientsPart[] = []
    await this.#ofEach(this.#handles.joined, async handle => {
      const numbering = { step: NUMBERING_STEP, offset: handle.number % NUMBERING_STEP }
      parts.push(await handle.asking.ask('clients', { query, numbering }))
    })
    return mergeClients(parts, query)
  }

  async traffic(): Promise<readonly ConnectionTraffic[]> {
    const all: ConnectionTraffic[] = []
    await this.#ofEach(this.#handles.joined, async handle => {
      const traffic = await handle.asking.ask('traffic', undefined)
      all.push(...traffic.map(one => ({ ...one, id: `${handle.number}.${one.id}` })))
    })
    return all
  }

  async inconsistencies(): Promise<readonly string[]> {
    const compared = await this.#compare()
    const { registry, members } = this.#membership
    return [...registry.inconsistencies(members.size), ...compared.flatMap(differences)]
  }

  /** The worker is gone; its counters are kept. */
  keepTotalsOf(handle: WorkerHandle): void {
    this.#totals.remove(handle, handle.ledger)
  }

  async #compare(): Promise<readonly Compared[]> {
    const compared: Compared[] = []
    await this.#ofEach(this.#handles.joined, async handle => {
      await handle.asking.callInOrder('snapshot', undefined, snapshot => {
        this.#totals.note(handle, snapshot)
        const sessionsTold = handle.members.size + handle.refused.size
        const keysTold = handle.knowsAll ? this.#membership.registry.totalKeys : undefined
        compared.push({ handle, snapshot, sessionsTold, keysTold })
      })
    })
    return compared
  }

  /** Waits for all, with a time limit. */
  async #ofEach(handles: readonly WorkerHandle[], ask: (handle: WorkerHandle) => Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = this.#own.clock.after(ANSWER_TIMEOUT_MS, resolve)
    // A worker that is gone does not answer.
    await Promise.race([late, Promise.allSettled(handles.map(ask))])
    timer.cancel()
  }
}

function differences({ handle, snapshot, sessionsTold, keysTold }: Compared): string[] {
  const found: string[] = []
  const name = `worker ${handle.number}`
  const { sessions, routes, counters } = snapshot
  if (sessions !== sessionsTold) found.push(`${name} has ${sessions} sessions, ${sessionsTold} are registered`)
  if (counters.currentConnections !== sessions) {
    found.push(`${name} counts ${counters.currentConnections} connections, ${sessions} are sessions`)
  }
  if (keysTold !== undefined && routes !== keysTold) found.push(`${name} routes ${routes} keys, ${keysTold} are known`)
  return found
}

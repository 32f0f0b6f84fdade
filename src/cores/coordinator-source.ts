/** What the debug pages show of all workers together. */

import {
  type ClientDetails,
  type ClientPage,
  type ConnectionTraffic,
  type DebugSource,
  registryNumbers,
} from '../http/debug-source.ts'
import type { RelayNumbers } from '../http/metric-numbers.ts'
import type { Clock } from '../lib/clock.ts'
import type { ConnectionCounters } from '../metrics/connection-counters.ts'
import { mergeCounters, type RelayCounters } from '../metrics/counters.ts'
import type { HttpCounters } from '../metrics/http-counters.ts'
import type { RateLimit } from '../server/rate-limit.ts'
import type { Membership } from './membership.ts'
import type { CheckedNumbers } from './messages.ts'
import type { RemoteMember, Seat } from './seat.ts'
import type { Seats } from './seats.ts'
import { WorkerTotals } from './worker-totals.ts'

/** Milliseconds that a worker has to answer; after that its last answer is shown. */
const ANSWER_TIMEOUT_MS = 2_000

/** What the coordinator itself knows. */
export interface OwnNumbers {
  readonly clock: Clock
  /** Of the coordinator. */
  readonly counters: RelayCounters
  readonly rateLimit: () => RateLimit | undefined
}

/** Numbers of all workers together. */
export interface WholeNumbers {
  readonly relay: RelayNumbers
  readonly http: HttpCounters
  /** Undefined where no worker counts any. */
  readonly connections: ConnectionCounters | undefined
}

/** A worker's numbers, beside what the coordinator knew when they came. */
interface Compared {
  readonly seat: Seat
  readonly numbers: CheckedNumbers
  readonly sessionsTold: number
  /** Undefined when the worker had not been told all yet. */
  readonly keysTold: number | undefined
}

export class CoordinatorSource implements DebugSource {
  readonly #seats: Seats
  readonly #membership: Membership
  readonly #own: OwnNumbers
  readonly #totals = new WorkerTotals<Seat>()

  constructor(seats: Seats, membership: Membership, own: OwnNumbers) {
    this.#seats = seats
    this.#membership = membership
    this.#own = own
  }

  async numbers(): Promise<RelayNumbers> {
    return (await this.whole()).relay
  }

  async whole(): Promise<WholeNumbers> {
    await this.#compare()
    return this.lastWhole()
  }

  /** The same as it was known last. */
  lastWhole(): WholeNumbers {
    const { http, connections, ...sum } = this.#totals.sum()
    const counters = mergeCounters([sum.counters, this.#own.counters])
    const { registry } = this.#membership
    return {
      relay: { ...sum, counters, ...registryNumbers(registry), rateLimit: this.#own.rateLimit() },
      http,
      connections,
    }
  }

  /** In the order of the logins. */
  async clients(offset: number, limit: number): Promise<ClientPage> {
    const { members } = this.#membership
    const page = [...members].slice(offset, offset + limit)
    const details = new Map<RemoteMember, ClientDetails>()
    await this.#ofEach([...new Set(page.map(({ seat }) => seat))], async seat => {
      const ids = page.filter(member => member.seat === seat).map(({ id }) => id)
      for (const [id, one] of await seat.asking.ask('details', ids)) {
        const member = seat.members.get(id)
        if (member !== undefined) details.set(member, one)
      }
    })
    const clients = page.flatMap(member => details.get(member) ?? [])
    return { total: members.size, clients }
  }

  async traffic(): Promise<readonly ConnectionTraffic[]> {
    const all: ConnectionTraffic[] = []
    await this.#ofEach(this.#seats.joined, async seat => {
      const traffic = await seat.asking.ask('traffic', undefined)
      all.push(...traffic.map(one => ({ ...one, id: `${seat.number}.${one.id}` })))
    })
    return all
  }

  async inconsistencies(): Promise<readonly string[]> {
    const compared = await this.#compare()
    const { registry, members } = this.#membership
    return [...registry.inconsistencies(members.size), ...compared.flatMap(differences)]
  }

  /** The worker is gone; what it has counted is shown for ever. */
  keepNumbersOf(seat: Seat): void {
    this.#totals.remove(seat)
  }

  async #compare(): Promise<readonly Compared[]> {
    const compared: Compared[] = []
    await this.#ofEach(this.#seats.joined, async seat => {
      await seat.asking.askAtOnce('numbers', undefined, numbers => {
        this.#totals.note(seat, numbers)
        const sessionsTold = seat.members.size + seat.refused.size
        const keysTold = seat.knowsAll ? this.#membership.registry.totalKeys : undefined
        compared.push({ seat, numbers, sessionsTold, keysTold })
      })
    })
    return compared
  }

  /** Waits for all, but not for long. */
  async #ofEach(seats: readonly Seat[], ask: (seat: Seat) => Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = this.#own.clock.after(ANSWER_TIMEOUT_MS, resolve)
    // A worker that is gone has nothing to say.
    await Promise.race([late, Promise.allSettled(seats.map(ask))])
    timer.cancel()
  }
}

function differences({ seat, numbers, sessionsTold, keysTold }: Compared): string[] {
  const found: string[] = []
  const name = `worker ${seat.number}`
  const { sessions, routes, counters } = numbers
  if (sessions !== sessionsTold) found.push(`${name} has ${sessions} sessions, ${sessionsTold} are registered`)
  if (counters.currentConnections !== sessions) {
    found.push(`${name} counts ${counters.currentConnections} connections, ${sessions} are sessions`)
  }
  if (keysTold !== undefined && routes !== keysTold) found.push(`${name} routes ${routes} keys, ${keysTold} are known`)
  return found
}

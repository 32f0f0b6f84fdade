/** Asks all relays again about the routes of this one, after it has missed what they said (P-312). */

import type { Clock, Timer } from '../lib/clock.ts'
import type { Inquiries } from './inquiries.ts'
import { LIST_PART_MS, MAX_KEYS } from './limits.ts'
import type { RemoteRoute } from './remote-route.ts'
import type { RouteCache } from './route-cache.ts'

/** What it needs. */
export interface RouteCheckPorts {
  readonly clock: Clock
  readonly routes: RouteCache
  readonly inquiries: Inquiries
  /** All relays have answered: routes not confirmed since that generation do not hold. */
  readonly prune: (routes: readonly RemoteRoute[], generation: number) => void
}

export class RouteCheck {
  readonly #ports: RouteCheckPorts
  #left: RemoteRoute[] = []
  #timer: Timer | undefined

  constructor(ports: RouteCheckPorts) {
    this.#ports = ports
  }

  /** Checks all routes there are; one that is under way begins anew. */
  start(): void {
    this.stop()
    this.#left = [...this.#ports.routes]
    this.#next()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#left = []
  }

  #next(): void {
    const { routes, inquiries, clock, prune } = this.#ports
    const some = this.#left.splice(-MAX_KEYS)
    if (some.length === 0) return
    const generation = ++routes.generation
    inquiries.ask(
      some.map(({ key }) => key),
      isAnswered => {
        if (isAnswered) prune(some, generation)
      },
    )
    this.#timer = clock.after(LIST_PART_MS, () => this.#next())
  }
}

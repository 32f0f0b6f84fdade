/** Queries all relays about this relay's routes, after it has missed messages (P-312). */

import type { Clock, Timer } from '../lib/clock.ts'
import type { Inquiries } from './inquiries.ts'
import { LIST_PART_MS, MAX_KEYS } from './limits.ts'
import type { RemoteRoute } from './remote-route.ts'
import type { RouteCache } from './route-cache.ts'

export interface RouteCheckPorts {
  readonly clock: Clock
  readonly routes: RouteCache
  readonly inquiries: Inquiries
  /** All relays have responded: routes not confirmed since that generation are invalid. */
  readonly prune: (routes: readonly RemoteRoute[], generation: number) => void
}

export class RouteCheck {
  readonly #ports: RouteCheckPorts
  #left: RemoteRoute[] = []
  #timer: Timer | undefined

  constructor(ports: RouteCheckPorts) {
    this.#ports = ports
  }

  /** Checks all routes; restarts a check in progress. */
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

/**
 * Routes to keys at other relays, only for flows through this relay.
 *
 * Clauses: P-304 precedence, P-314 bounds and expiry, P-315 notifications.
 */

import { KeyLookup, KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { RegionCounters } from '../metrics/region-counters.ts'
import type { RegionHost } from '../server/region-ports.ts'
import { MAX_ROUTES, ROUTE_IDLE_MS } from './limits.ts'
import type { Neighbour } from './neighbour.ts'
import { type Place, RemoteRoute } from './remote-route.ts'
import { UNKNOWN_TIME } from './stamp.ts'

/** Idle checks of each route before it expires. */
const LOOKS = 12
/** Routes examined to find one to evict when the cache is full. */
const MAX_LOOKS_FOR_ROOM = 50

export interface RouteCacheOptions {
  readonly host: RegionHost
  readonly counters: RegionCounters
  /** A client must be notified when the key leaves, but the key's relay is unknown. */
  readonly onDoubt: (key: NodePublicKey) => void
  readonly maxRoutes?: number | undefined
}

export class RouteCache {
  readonly #host: RegionHost
  readonly #counters: RegionCounters
  readonly #onDoubt: (key: NodePublicKey) => void
  readonly #maxRoutes: number
  readonly #routes = new KeyMap<RemoteRoute>()
  /** For packets: consecutive lookups are mostly for the same key. */
  readonly lookup: KeyLookup<RemoteRoute> = new KeyLookup(this.#routes)
  #looks: Iterator<[NodePublicKey, RemoteRoute]> = this.#routes[Symbol.iterator]()
  #open = 0
  #lookedAtMs = 0
  /** Incremented with each list or query that confirms routes. */
  generation = 1

  constructor({ host, counters, onDoubt, maxRoutes = MAX_ROUTES }: RouteCacheOptions) {
    this.#host = host
    this.#counters = counters
    this.#onDoubt = onDoubt
    this.#maxRoutes = maxRoutes
  }

  /** Number of routes that packets use. */
  get openRoutes(): number {
    return this.#open
  }

  /** All routes, open or not. */
  get size(): number {
    return this.#routes.size
  }

  get(bytes: Uint8Array, offset = 0): RemoteRoute | undefined {
    return this.#routes.get(bytes, offset)
  }

  *[Symbol.iterator](): Generator<RemoteRoute> {
    for (const [, route] of this.#routes) yield route
  }

  /** All routes to one relay. Goes through all routes: rare, and a set of them would take as much as the routes. */
  *over(relay: Neighbour): Generator<RemoteRoute> {
    for (const route of this) if (route.neighbour === relay) yield route
  }

  /** Records where a key is, for clients to notify when it leaves. */
  note(key: NodePublicKey, place: Place, nowMs: number): RemoteRoute {
    const found = this.#routes.get(key.bytes)
    if (found === undefined) {
      const route = new RemoteRoute(key, place, nowMs, this.generation)
      this.#routes.set(key, route)
      return route
    }
    found.time = place.time
    found.confirmedIn = this.generation
    if (found.neighbour !== place.neighbour) this.#move(found, place.neighbour)
    return found
  }

  /** Lets packets use the route; a route to the newest login takes precedence over older local connections. */
  open(route: RemoteRoute, isNewest: boolean, nowMs: number): void {
    route.isNewest = isNewest
    if (!route.isOpen) {
      if (this.#open >= this.#maxRoutes) this.#makeRoom()
      this.#open++
      route.isOpen = true
      route.isUsed = true
      route.usedAtMs = nowMs
    }
    route.neighbour.routes.announce(route.key, isNewest)
  }

  /** Packets no longer use the route. It is kept as long as a client must be notified when the key leaves. */
  close(route: RemoteRoute): void {
    if (route.isOpen) {
      this.#open--
      route.isOpen = false
      route.isNewest = false
      route.neighbour.routes.forget(route.key)
    }
    if (!this.#host.isAwaited(route.key.bytes, 0)) this.#routes.delete(route.key)
    else if (route.time === UNKNOWN_TIME) this.#onDoubt(route.key)
  }

  /** The key has left the route's relay: notifies the clients that subscribed to it. */
  leave(route: RemoteRoute): void {
    const { key, neighbour, isOpen } = route
    this.#routes.delete(route.key)
    if (isOpen) {
      this.#open--
      route.isOpen = false
      neighbour.routes.withdraw(key)
    } else this.#host.keyLeft(key)
  }

  /** Checks some routes and drops expired ones. Called periodically. */
  look(nowMs: number): void {
    const elapsedMs = Math.min(nowMs - this.#lookedAtMs, ROUTE_IDLE_MS / LOOKS)
    this.#lookedAtMs = nowMs
    let left = Math.ceil((this.#routes.size * elapsedMs * LOOKS) / ROUTE_IDLE_MS)
    for (; left > 0; left--) {
      const route = this.#next()
      if (route === undefined) return
      if (route.isUsed) {
        route.isUsed = false
        route.usedAtMs = nowMs
      } else if (nowMs - route.usedAtMs >= ROUTE_IDLE_MS) this.#idle(route)
    }
  }

  #idle(route: RemoteRoute): void {
    if (route.isNewest) return
    if (route.isOpen) this.#counters.routesIdled++
    route.usedAtMs = this.#lookedAtMs
    this.close(route)
  }

  /** Closes a route that was not used recently, otherwise any that may be closed. */
  #makeRoom(): void {
    let victim: RemoteRoute | undefined
    for (let n = 0; n < MAX_LOOKS_FOR_ROOM; n++) {
      const route = this.#next()
      if (route === undefined) break
      if (!route.isOpen || route.isNewest) continue
      victim = route
      if (!route.isUsed) break
      route.isUsed = false
    }
    if (victim === undefined) return
    this.#counters.routesDisplaced++
    this.close(victim)
  }

  /** The next route, cycling through all; undefined if there is none. */
  #next(): RemoteRoute | undefined {
    let next = this.#looks.next()
    if (next.done === true) {
      this.#looks = this.#routes[Symbol.iterator]()
      next = this.#looks.next()
    }
    return next.done === true ? undefined : next.value[1]
  }

  #move(route: RemoteRoute, to: Neighbour): void {
    const { isOpen, isNewest } = route
    if (isOpen) route.neighbour.routes.forget(route.key)
    route.neighbour = to
    if (isOpen) to.routes.announce(route.key, isNewest)
  }
}

/**
 * Tracks at which relay each key is, by its newest known login.
 *
 * Clauses: P-304, P-306, P-307, P-311, P-314, P-315.
 */

import { KeyMap } from '../keys/key-map.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import type { Clock } from '../lib/clock.ts'
import type { RegionCounters } from '../metrics/region-counters.ts'
import { KEY_LENGTH } from '../protocol/constants.ts'
import type { RegionHost } from '../server/region-ports.ts'
import type { Member } from '../server/registry.ts'
import type { Announcer } from './announcer.ts'
import type { Finder } from './finder.ts'
import type { HybridClock } from './hybrid-clock.ts'
import type { KeyTimes } from './key-times.ts'
import { MAX_NOBODIES, OUTSIDE_MS } from './limits.ts'
import type { LocalKeys } from './local-keys.ts'
import type { Neighbour } from './neighbour.ts'
import type { RemoteRoute } from './remote-route.ts'
import type { RouteCache } from './route-cache.ts'
import { isNewer, type RelayId, relayIdOf, type Stamp, UNKNOWN_TIME } from './stamp.ts'

export interface WhereaboutsPorts {
  readonly ownId: RelayId
  readonly host: RegionHost
  readonly clock: Clock
  readonly times: HybridClock
  readonly counters: RegionCounters
  readonly locals: LocalKeys
  readonly routes: RouteCache
  readonly finder: Finder
  readonly announcer: Announcer
  /** The relay with that id, if known. */
  relay(id: RelayId): Neighbour | undefined
  /** Notifies a relay that this relay has a newer login than its own. */
  supersede(relay: Neighbour, key: NodePublicKey, time: number): void
}

export class Whereabouts {
  readonly #ports: WhereaboutsPorts
  /** Keys with clients to notify when they leave, but at an unknown relay. */
  #doubts = new KeyMap<true>()
  /** Keys in packets of relays outside the region, with the time until which they are not searched for. */
  readonly #outside = new KeyMap<number>()

  constructor(ports: WhereaboutsPorts) {
    this.#ports = ports
  }

  /** A connection has logged in: it is newer than all known logins. */
  loggedIn(member: Member): void {
    const { key } = member
    const { times, locals, routes, finder, announcer } = this.#ports
    const time = times.next()
    locals.add(member, time)
    const route = routes.get(key.bytes)
    // The route was only learned from a packet; now the key is here.
    if (route?.time === UNKNOWN_TIME) routes.close(route)
    else if (route?.isNewest === true) this.#open(route, false)
    announcer.here(key, time)
    finder.forgetNobody(key.bytes, 0)
    finder.found(key)
  }

  /** A connection has ended. */
  loggedOut(member: Member): void {
    const { key } = member
    const { locals, routes, announcer } = this.#ports
    const times = locals.remove(member)
    if (times === undefined || times.before === times.after) return
    announcer.gone(key, times.before)
    const route = routes.get(key.bytes)
    if (times.after === undefined) {
      if (route !== undefined) route.isNewest = false
      return
    }
    // The older connection becomes the newest again, with its old time (P-307).
    announcer.here(key, times.after)
    if (route !== undefined && this.#isNewerThanLocal(route.stamp, times.after)) this.#open(route, true)
  }

  /** A relay has announced keys connected to it. */
  heard(from: Neighbour, keys: KeyTimes): void {
    const { times, counters } = this.#ports
    for (let n = 0; n < keys.length; n++) {
      if (times.hear(keys.timeOf(n))) this.#heard(from, keys, n)
      else counters.timesRefused++
    }
  }

  /** A relay has announced logins that have ended. */
  gone(from: Neighbour, keys: KeyTimes): void {
    for (let n = 0; n < keys.length; n++) {
      const route = this.#ports.routes.get(keys.bytes, keys.offsetOf(n))
      if (route?.neighbour === from && route.time <= keys.timeOf(n)) this.#leave(route)
    }
  }

  /** A relay has reported that it has a newer login of `key` than this one. */
  superseded(by: Neighbour, key: NodePublicKey, time: number): void {
    const { times, locals, routes, clock, counters } = this.#ports
    counters.superseded++
    const local = locals.get(key.bytes)
    const stamp = { time, relay: by.id }
    if (local === undefined || !this.#isNewerThanLocal(stamp, local.time)) return
    if (!times.hear(time)) {
      counters.timesRefused++
      return
    }
    const route = routes.get(key.bytes)
    if (route !== undefined && isNewer(route.stamp, stamp)) return
    this.#open(routes.note(key, { neighbour: by, time }, clock.now()), true)
  }

  /** A relay has forwarded a packet from the key at `keyAt`. */
  taught(by: NodePublicKey, bytes: Uint8Array, keyAt: number): void {
    const route = this.#ports.routes.lookup.get(bytes, keyAt)
    if (route?.isOpen === true) route.isUsed = true
    else this.#teach(by, bytes, keyAt, route)
  }

  /** A relay does not have `key`, but received packets for it. */
  notHere(at: Neighbour, key: NodePublicKey): void {
    const { routes, counters } = this.#ports
    counters.wentAstray++
    const route = routes.get(key.bytes)
    if (route?.neighbour === at) this.#mistrust(route)
  }

  /** The relay of `key` is unknown, and clients may have to be notified when it leaves. */
  doubt(key: NodePublicKey): void {
    if (this.#doubts.size < MAX_NOBODIES) this.#doubts.set(key, true)
  }

  /** Searches for keys at unknown relays; called periodically while the other relays can be queried. */
  lookForDoubts(): void {
    const doubts = this.#doubts
    this.#doubts = new KeyMap()
    this.#forgetOutside()
    for (const [key] of doubts) {
      if (this.#outside.has(key)) {
        this.doubt(key)
        continue
      }
      const route = this.#ports.routes.get(key.bytes)
      // A route learned from a packet proves nothing: packets can outlive their sender.
      const isKnown = route?.isOpen === true && route.time !== UNKNOWN_TIME
      if (!isKnown && this.#ports.host.isAwaited(key.bytes, 0)) this.#ports.finder.look(key)
    }
  }

  /** None of the other relays has `key`. */
  nobodyHas(key: NodePublicKey): void {
    const route = this.#ports.routes.get(key.bytes)
    if (route === undefined) this.#ports.host.keyLeft(key)
    else this.#leave(route)
  }

  /** A relay has left, with all its clients. */
  relayLeft(relay: Neighbour): void {
    for (const route of this.#ports.routes.over(relay)) this.#leave(route)
  }

  /** A relay has listed all keys whose newest login it has: its other routes are invalid. */
  mistrustUnlisted(relay: Neighbour): void {
    for (const route of this.#ports.routes.over(relay)) {
      if (route.confirmedIn < relay.listGeneration) this.#mistrust(route)
    }
  }

  /** All relays have been queried about these routes since that generation: keys without confirmation have left. */
  endUnconfirmed(routes: Iterable<RemoteRoute>, generation: number): void {
    for (const route of routes) {
      const isCurrent = this.#ports.routes.get(route.key.bytes) === route
      if (isCurrent && route.confirmedIn < generation) this.#leave(route)
    }
  }

  #heard(from: Neighbour, keys: KeyTimes, n: number): void {
    const { locals, routes, finder, host, clock } = this.#ports
    const { bytes } = keys
    const at = keys.offsetOf(n)
    finder.forgetNobody(bytes, at)
    const local = locals.get(bytes, at)
    const route = routes.get(bytes, at)
    const waiting = finder.waitingFor(bytes, at)
    const isKnown = local !== undefined || route !== undefined || waiting !== undefined
    if (!isKnown && !host.isAwaited(bytes, at)) return
    const key = route?.key ?? keys.keyOf(n)
    const stamp: Stamp = { time: keys.timeOf(n), relay: from.id }
    const isOlder = local !== undefined && !this.#isNewerThanLocal(stamp, local.time)
    // A relay only knows the state of its own logins.
    if (isOlder && route?.isNewest !== true) this.#ports.supersede(from, key, local.time)
    // A relay's latest message about its own keys overrides earlier ones.
    if (route !== undefined && route.neighbour !== from && !isNewer(stamp, route.stamp)) return
    const wasNewest = route?.isNewest === true
    const mustOpen = local !== undefined || (waiting ?? 0) > 0
    const noted = routes.note(key, { neighbour: from, time: stamp.time }, clock.now())
    // A route that was open stays open.
    if (mustOpen) this.#open(noted, local !== undefined && !isOlder)
    if (wasNewest && isOlder) this.#comeBack(key)
    finder.found(key)
  }

  #teach(by: NodePublicKey, bytes: Uint8Array, keyAt: number, known: RemoteRoute | undefined): void {
    const { locals, routes, finder, clock } = this.#ports
    if (locals.get(bytes, keyAt) !== undefined) return
    const neighbour = this.#ports.relay(relayIdOf(by))
    if (neighbour === undefined) {
      this.#noteOutside(bytes, keyAt)
      return
    }
    const key = known?.key ?? NodePublicKey.fromBytes(bytes.subarray(keyAt, keyAt + KEY_LENGTH))
    this.#open(known ?? routes.note(key, { neighbour, time: UNKNOWN_TIME }, clock.now()), false)
    finder.found(key)
  }

  #noteOutside(bytes: Uint8Array, keyAt: number): void {
    if (this.#outside.size >= MAX_NOBODIES || this.#outside.get(bytes, keyAt) !== undefined) return
    const key = NodePublicKey.fromBytes(bytes.subarray(keyAt, keyAt + KEY_LENGTH))
    this.#outside.set(key, this.#ports.clock.now() + OUTSIDE_MS)
  }

  #forgetOutside(): void {
    const nowMs = this.#ports.clock.now()
    for (const [key, untilMs] of this.#outside) {
      // The oldest come first.
      if (untilMs > nowMs) break
      this.#outside.delete(key)
    }
  }

  /** The key is not at the route's relay; its relay is unknown. */
  #mistrust(route: RemoteRoute): void {
    const { isNewest, key } = route
    route.time = UNKNOWN_TIME
    this.#ports.routes.close(route)
    if (isNewest) this.#comeBack(key)
  }

  #leave(route: RemoteRoute): void {
    const { isNewest, key } = route
    this.#ports.routes.leave(route)
    if (isNewest) this.#comeBack(key)
  }

  /** The newest login elsewhere has ended: the one here is the newest again, with its old time (P-307). */
  #comeBack(key: NodePublicKey): void {
    const local = this.#ports.locals.get(key.bytes)
    if (local !== undefined) this.#ports.announcer.here(key, local.time)
  }

  #open(route: RemoteRoute, isNewest: boolean): void {
    this.#ports.routes.open(route, isNewest, this.#ports.clock.now())
  }

  #isNewerThanLocal(stamp: Stamp, time: number): boolean {
    return isNewer(stamp, { time, relay: this.#ports.ownId })
  }
}

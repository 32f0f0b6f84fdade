/**
 * Dispatches messages from other relays to the parts that handle them.
 *
 * Clauses: P-303, P-308, P-312, P-313.
 */

import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { RegionHost } from '../server/region-ports.ts'
import type { Announcer } from './announcer.ts'
import type { HybridClock } from './hybrid-clock.ts'
import type { Inquiries } from './inquiries.ts'
import type { KeyTime, KeyTimes } from './key-times.ts'
import type { LocalKeys } from './local-keys.ts'
import type { Members } from './members.ts'
import type { Beat, Find, Here, InMessage, OutMessage } from './message.ts'
import type { Neighbour } from './neighbour.ts'
import type { RouteCache } from './route-cache.ts'
import type { RelayId } from './stamp.ts'
import type { Whereabouts } from './whereabouts.ts'

export interface InboxPorts {
  readonly host: RegionHost
  readonly clock: Clock
  readonly log: Log
  readonly times: HybridClock
  readonly locals: LocalKeys
  readonly routes: RouteCache
  readonly members: Members
  readonly announcer: Announcer
  readonly inquiries: Inquiries
  readonly whereabouts: Whereabouts
  readonly tell: (to: RelayId, message: OutMessage) => boolean
}

/** Messages that are only accepted from relays with a known beat. */
type KnownMessage = Exclude<InMessage, Beat | Find>

export class Inbox {
  readonly #ports: InboxPorts

  constructor(ports: InboxPorts) {
    this.#ports = ports
  }

  /** @param hasJoined whether this relay should have received the sender's earlier messages. */
  onBeat(from: RelayId, beat: Beat, hasJoined: boolean): void {
    const { members, clock } = this.#ports
    members.hear(from, beat, clock.now(), hasJoined)
    const relay = members.get(from)
    if (relay !== undefined) this.#compareClocks(relay, beat.time)
  }

  take(from: RelayId, message: Exclude<InMessage, Beat>, isDirect: boolean): void {
    if (message.type === 'find') {
      this.#answer(from, message)
      return
    }
    const relay = this.#ports.members.get(from)
    if (relay !== undefined) this.#takeKnown(relay, message, isDirect)
  }

  #takeKnown(relay: Neighbour, message: KnownMessage, isDirect: boolean): void {
    const { members, whereabouts, inquiries, announcer, host } = this.#ports
    switch (message.type) {
      case 'here':
        this.#onHere(relay, message, isDirect)
        break
      case 'gone':
        if (!relay.followsWith(message.sequence)) relay.needsList = true
        whereabouts.gone(relay, message.keys)
        break
      case 'found':
        whereabouts.heard(relay, message.keys)
        inquiries.answered(message.id, relay.id)
        break
      case 'superseded':
        whereabouts.superseded(relay, message.key, message.time)
        break
      case 'resync':
        announcer.list(relay.id)
        break
      case 'listed':
        relay.confirmsByMs = undefined
        if (!relay.confirms(message.sequence)) relay.needsList = true
        break
      case 'reset':
        members.lose(relay, 'it is stopping')
        break
      case 'closePeer':
        host.closePeer(message.peer)
        break
    }
  }

  #onHere(relay: Neighbour, { sequence, list, keys }: Here<KeyTimes>, isDirect: boolean): void {
    const { clock, routes, whereabouts, announcer, tell } = this.#ports
    if (list?.number === 0) {
      relay.listGeneration = ++routes.generation
      if (!isDirect) {
        relay.listBegins(sequence)
        relay.listBeganAfter = announcer.sequence
      }
    }
    if (!isDirect && !relay.followsWith(sequence)) relay.needsList = true
    whereabouts.heard(relay, keys)
    if (list === undefined) return
    relay.askedAtMs = clock.now()
    if (!relay.takePart(list)) return
    whereabouts.mistrustUnlisted(relay)
    if (!isDirect) tell(relay.id, { type: 'listed', sequence: relay.listBeganAfter })
  }

  /** Responds with the keys whose newest known login is here (P-308). */
  #answer(to: RelayId, { id, keys }: Find): void {
    const { locals, routes } = this.#ports
    const found: KeyTime[] = []
    for (const key of keys) {
      const local = locals.get(key.bytes)
      if (local !== undefined && routes.get(key.bytes)?.isNewest !== true) found.push({ key, time: local.time })
    }
    this.#ports.tell(to, { type: 'found', id, keys: found })
  }

  #compareClocks(relay: Neighbour, time: number): void {
    const { times, log } = this.#ports
    const wasHeard = relay.isHeard
    relay.aheadMs = times.aheadMs(time)
    relay.isHeard = times.hear(time)
    if (!wasHeard || relay.isHeard) return
    const aheadMs = Math.round(relay.aheadMs)
    log.warn('clock of a relay is ahead: its logins are ignored', { relay: relay.id, aheadMs })
  }
}

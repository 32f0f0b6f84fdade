/** Wires the parts of a backplane together. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { RegionCounters } from '../metrics/region-counters.ts'
import type { RegionHost } from '../server/region-ports.ts'
import { Announcer } from './announcer.ts'
import type { Bus } from './bus.ts'
import { encodeMessage } from './encode.ts'
import { Finder } from './finder.ts'
import { HybridClock } from './hybrid-clock.ts'
import { Inbox } from './inbox.ts'
import { Inquiries } from './inquiries.ts'
import { LocalKeys } from './local-keys.ts'
import { Members, type OpenLink } from './members.ts'
import type { OutMessage } from './message.ts'
import { RouteCache } from './route-cache.ts'
import { RouteCheck } from './route-check.ts'
import { type RelayId, relayIdOf } from './stamp.ts'
import { Whereabouts } from './whereabouts.ts'

export interface BackplaneOptions {
  readonly host: RegionHost
  readonly bus: Bus
  readonly openLink: OpenLink
  readonly ownKey: NodePublicKey
  /** Where other relays open links to this one. */
  readonly url: string
  readonly clock: Clock
  readonly log: Log
  readonly maxRoutes?: number
}

/** Callbacks from the parts to the backplane. */
export interface BackplaneHooks {
  readonly counters: RegionCounters
  readonly hasJoined: () => boolean
  /** Sends a beat. */
  readonly beat: () => void
}

export class BackplaneParts {
  readonly times: HybridClock
  readonly locals: LocalKeys = new LocalKeys()
  readonly routes: RouteCache
  readonly members: Members
  readonly inquiries: Inquiries
  readonly finder: Finder
  readonly announcer: Announcer
  readonly whereabouts: Whereabouts
  readonly check: RouteCheck
  readonly inbox: Inbox
  readonly #bus: Bus
  readonly #counters: RegionCounters

  constructor(options: BackplaneOptions, hooks: BackplaneHooks) {
    const { counters } = hooks
    this.#bus = options.bus
    this.#counters = counters
    this.times = new HybridClock(options.clock)
    this.routes = new RouteCache({ ...options, counters, onDoubt: key => this.whereabouts.doubt(key) })
    this.members = this.#createMembers(options, hooks)
    this.inquiries = this.#createInquiries(options)
    this.finder = this.#createFinder(options, hooks)
    this.announcer = this.#createAnnouncer(options, hooks)
    this.whereabouts = this.#createWhereabouts(options, hooks)
    const { times, locals, routes, members, inquiries, announcer, whereabouts } = this
    this.check = new RouteCheck({
      routes,
      inquiries,
      clock: options.clock,
      prune: (unconfirmed, generation) => whereabouts.endUnconfirmed(unconfirmed, generation),
    })
    this.inbox = new Inbox({
      ...options,
      times,
      locals,
      routes,
      members,
      announcer,
      inquiries,
      whereabouts,
      tell: (to, message) => this.tell(to, message),
    })
  }

  /** Returns whether the message was sent. */
  tell(to: RelayId, message: OutMessage): boolean {
    return this.count(this.#bus.send(to, encodeMessage(message)))
  }

  /** Counts messages rejected by the bus. */
  count(wasTaken: boolean): boolean {
    if (!wasTaken) this.#counters.messagesLost++
    return wasTaken
  }

  #createInquiries({ clock, bus }: BackplaneOptions): Inquiries {
    return new Inquiries({
      clock,
      relays: () => Array.from(this.members, ({ id }) => id),
      broadcast: question => this.count(bus.broadcast('find', question)),
      send: (to, question) => this.count(bus.send(to, question)),
    })
  }

  #createFinder({ host, clock }: BackplaneOptions, { counters, hasJoined }: BackplaneHooks): Finder {
    return new Finder({
      host,
      clock,
      counters,
      inquiries: this.inquiries,
      canAsk: hasJoined,
      onNobody: key => this.whereabouts.nobodyHas(key),
      onFailed: key => this.whereabouts.doubt(key),
    })
  }

  #createAnnouncer({ bus, clock }: BackplaneOptions, { counters }: BackplaneHooks): Announcer {
    return new Announcer({
      bus,
      clock,
      counters,
      locals: this.locals,
      isSuperseded: key => this.routes.get(key.bytes)?.isNewest === true,
      onListed: () => this.members.listSent(clock.now()),
    })
  }

  #createWhereabouts({ host, bus, clock, ownKey }: BackplaneOptions, { counters }: BackplaneHooks): Whereabouts {
    const { times, locals, routes, finder, announcer } = this
    return new Whereabouts({
      times,
      locals,
      routes,
      finder,
      announcer,
      ownId: relayIdOf(ownKey),
      host,
      clock,
      counters,
      relay: id => this.members.get(id),
      supersede: (relay, key, time) => {
        if (!bus.send(relay.id, encodeMessage({ type: 'superseded', key, time }))) announcer.noteLost()
      },
    })
  }

  #createMembers({ host, openLink, log }: BackplaneOptions, { counters, hasJoined, beat }: BackplaneHooks): Members {
    return new Members({
      table: host,
      openLink,
      routeOf: key => this.routes.get(key.bytes),
      log,
      counters,
      onMet: () => {
        this.finder.forgetNobodies()
        // So that it knows this relay immediately.
        if (hasJoined()) beat()
      },
      onLost: relay => {
        this.whereabouts.relayLeft(relay)
        this.inquiries.relayLeft(relay.id)
      },
      onNotHere: (relay, key) => this.whereabouts.notHere(relay, key),
      askForList: relay => this.tell(relay.id, { type: 'resync' }),
    })
  }
}

/**
 * A relay as a member of its region: announces local clients, and routes packets to clients of other relays.
 *
 * Independent of NATS and sockets: messages go over a {@link Bus}, packets over links opened for it.
 * Clauses: P-300, P-301, P-312, P-316, P-318, P-323.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { Timer } from '../lib/clock.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import { RegionCounters } from '../metrics/region-counters.ts'
import type { FinderSource, Region } from '../server/region-ports.ts'
import type { Member } from '../server/registry.ts'
import type { BusHandler } from './bus.ts'
import { decodeMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import type { Finder } from './finder.ts'
import { BEAT_MS, LISTEN_MS } from './limits.ts'
import type { Members } from './members.ts'
import type { InMessage } from './message.ts'
import { type BackplaneOptions, BackplaneParts } from './parts.ts'
import type { RouteCache } from './route-cache.ts'
import { type RelayId, relayIdOf } from './stamp.ts'

/**
 * State in the region: `down` without the bus; `listening` before it joins; `twin` if another relay has the same id,
 * which is final.
 */
export type BackplaneState = 'down' | 'listening' | 'joined' | 'twin' | 'closed'

export class Backplane implements Region, BusHandler {
  readonly counters: RegionCounters = new RegionCounters()
  readonly ownId: RelayId
  readonly #options: BackplaneOptions
  readonly #incarnation: number
  readonly #parts: BackplaneParts
  readonly #settled = Promise.withResolvers<void>()
  #state: BackplaneState = 'down'
  #hasJoined = false
  #reason = 'not connected yet'
  #timer: Timer | undefined
  #listening: Timer | undefined

  /** Does not connect yet. */
  constructor(options: BackplaneOptions) {
    this.#options = options
    this.ownId = relayIdOf(options.ownKey)
    this.#incarnation = Math.floor(options.clock.wallNow())
    this.#parts = new BackplaneParts(options, {
      counters: this.counters,
      hasJoined: () => this.#state === 'joined',
      beat: () => this.#beat(),
    })
  }

  get state(): BackplaneState {
    return this.#state
  }

  get members(): Members {
    return this.#parts.members
  }

  get routes(): RouteCache {
    return this.#parts.routes
  }

  get finder(): Finder {
    return this.#parts.finder
  }

  /** Why clients of other relays may be unreachable; undefined if there is no problem. */
  get problem(): string | undefined {
    const reason = this.#reason
    const problems: Record<BackplaneState, string | undefined> = {
      joined: undefined,
      listening: 'the relay is joining its region',
      twin: reason,
      down: `NATS cannot be used: ${reason}`,
      closed: 'the relay has left its region',
    }
    return problems[this.#state]
  }

  /** Resolves once it has joined for the first time, cannot join, or has to wait for NATS. */
  get settled(): Promise<void> {
    return this.#settled.promise
  }

  /** Joins the region as soon as the bus is up. */
  start(): void {
    const { host, bus } = this.#options
    host.joinRegion(this)
    bus.open(this)
    this.#tick()
  }

  /** Leaves the region. Local clients must already be closed; packets for others are dropped. */
  async stop(): Promise<void> {
    if (this.#state === 'joined') {
      this.#parts.announcer.flush()
      for (const { id } of this.members) this.#parts.tell(id, { type: 'reset' })
    }
    this.#timer?.cancel()
    this.#leave('closed', 'the relay is stopping')
    await this.#options.bus.close()
    this.members.close()
  }

  onUp(): void {
    if (this.#state !== 'down') return
    if (this.#hasJoined) {
      this.#join()
      return
    }
    this.#state = 'listening'
    this.#listening = this.#options.clock.after(LISTEN_MS, () => this.#join())
  }

  onDown(reason: string): void {
    if (this.#state === 'twin') return
    this.#leave('down', reason)
    this.#settled.resolve()
  }

  onMessage(from: RelayId, bytes: Uint8Array, isDirect: boolean): void {
    if (this.#state !== 'joined' && this.#state !== 'listening') return
    const message = decodeMessage(bytes)
    this.counters.messagesReceived++
    if (message === undefined) this.counters.messagesUnknown++
    else if (from === this.ownId) this.#onTwin(message)
    else if (message.type === 'beat') this.#parts.inbox.onBeat(from, message, this.#hasJoined)
    else this.#parts.inbox.take(from, message, isDirect)
  }

  clientConnected(client: Member): void {
    // Links from other relays of the region receive no packets.
    if (!this.isRelay(client.key)) this.#parts.whereabouts.loggedIn(client)
  }

  clientDisconnected(client: Member): void {
    this.#parts.whereabouts.loggedOut(client)
  }

  takeUnknown(source: FinderSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): boolean {
    return this.finder.takeUnknown(source, buffer, start, end, kind)
  }

  noteSource(relay: NodePublicKey, buffer: Uint8Array, keyAt: number): void {
    this.#parts.whereabouts.taught(relay, buffer, keyAt)
  }

  missPeer(peer: NodePublicKey): void {
    this.#parts.whereabouts.doubt(peer)
  }

  isRelay(key: NodePublicKey): boolean {
    return this.members.get(relayIdOf(key)) !== undefined
  }

  closePeer(peer: NodePublicKey): void {
    for (const { id } of this.members) this.#parts.tell(id, { type: 'closePeer', peer })
  }

  #join(): void {
    const { clock, log } = this.#options
    const { announcer, check } = this.#parts
    this.#state = 'joined'
    this.members.beginAnew(clock.now())
    if (this.#hasJoined) {
      // Before the next beat: its number would make the others believe that they missed messages.
      announcer.open()
      this.#beat()
    } else {
      // Other relays ignore messages from relays without a beat.
      this.#beat()
      announcer.open()
    }
    check.start()
    this.#hasJoined = true
    log.info('joined the region', { relay: this.ownId, others: this.members.size })
    this.#settled.resolve()
  }

  #leave(state: 'down' | 'twin' | 'closed', reason: string): void {
    const { log } = this.#options
    if (state === 'twin') log.error('left the region', { reason })
    else if (this.#state === 'joined') log.warn('left the region', { reason })
    else if (state === 'down' && this.#reason !== reason) log.warn('cannot join the region yet', { reason })
    this.#state = state
    this.#reason = reason
    this.#listening?.cancel()
    const { announcer, check, inquiries, finder } = this.#parts
    announcer.close()
    check.stop()
    inquiries.giveUp()
    finder.giveUp()
  }

  #tick(): void {
    const { clock, bus } = this.#options
    const { announcer, routes, members, whereabouts, times, locals } = this.#parts
    const nowMs = clock.now()
    routes.look(nowMs)
    if (times.beginAnewIfSetBack()) {
      locals.restamp(() => times.next())
      announcer.list()
    }
    if (!bus.isUp) members.excuseSilence(nowMs)
    if (this.#state === 'joined') {
      if (announcer.hasLost && bus.isUp) announcer.list()
      this.#beat()
      members.look(nowMs)
      whereabouts.lookForDoubts()
    }
    this.#timer = clock.after(BEAT_MS, () => this.#tick())
  }

  #beat(): void {
    const { bus, url } = this.#options
    const { announcer, times } = this.#parts
    const { sequence } = announcer
    const beat = { type: 'beat', url, incarnation: this.#incarnation, sequence, time: times.now() } as const
    this.#parts.count(bus.broadcast('beat', encodeMessage(beat)))
  }

  /** Another relay has the same id: the one that joins later gives up, or if both have joined the one that started later. */
  #onTwin(message: InMessage): void {
    if (message.type !== 'beat') return
    // Its own: what was sent before a network broke may reach NATS after it has connected anew.
    if (message.incarnation === this.#incarnation && message.url === this.#options.url) return
    if (this.#state === 'joined' && message.incarnation > this.#incarnation) return
    const reason = `relay id ${this.ownId} is also that of ${message.url}: give each relay a private key of its own, with -c`
    this.#leave('twin', reason)
    this.#settled.resolve()
  }
}

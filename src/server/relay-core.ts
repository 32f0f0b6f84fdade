/**
 * The relay without transports: takes connections, logs clients in, moves their packets.
 *
 * Knows nothing of HTTP, sockets or Node; time, randomness and cryptography are handed in.
 */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import type { DerpError } from '../lib/derp-error.ts'
import { Emitter } from '../lib/emitter.ts'
import type { LogFields } from '../lib/log.ts'
import { TallyLog } from '../lib/tally-log.ts'
import { TimerQueue } from '../lib/timer-queue.ts'
import { RelayCounters } from '../metrics/counters.ts'
import { ClientInfoReader } from '../protocol/client-info-reader.ts'
import { encodeGreeting } from '../protocol/login.ts'
import { formatServerInfo } from '../protocol/server-info.ts'
import type { Conn } from '../transport/conn.ts'
import { type DrainOptions, type DrainResult, drain } from './drain.ts'
import type { RelayEvents } from './events.ts'
import { HANDLERS } from './handlers/index.ts'
import type { LoginHost } from './hosts.ts'
import { RegistryLinkRoutes } from './link-routes.ts'
import { LocalDirectory } from './local-directory.ts'
import { type RelayCoreOptions, type ResolvedRelayCoreOptions, resolveOptions } from './options.ts'
import type { Destination, Directory, Link, LinkRoutes, RouteTable } from './ports.ts'
import { QueueAge } from './queues/queue-age.ts'
import { WriteDeadlines } from './queues/write-deadlines.ts'
import type { Writer } from './queues/writer.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Registry } from './registry.ts'
import { type AcceptOptions, ServerLogin } from './server-login.ts'
import type { Session } from './session.ts'

/** Makes the directory of a part of a relay; the core is not complete yet. */
export type CreateDirectory = (core: RelayCore) => Directory<Session>

/** What is written at the end of a turn. */
export interface Flushable {
  flush(): void
}

export class RelayCore implements LoginHost<ServerLogin, Session>, RouteTable {
  readonly options: ResolvedRelayCoreOptions
  readonly handlers: typeof HANDLERS = HANDLERS
  readonly publicKey: NodePublicKey
  readonly counters: RelayCounters = new RelayCounters()
  readonly queueAge: QueueAge = new QueueAge(this.counters.queueAgeMs)
  readonly events: Emitter<RelayEvents> = new Emitter()
  /** Where packets go, by key; kept by the {@link directory}. */
  readonly routes: KeyMap<Destination> = new KeyMap()
  readonly directory: Directory<Session>
  /** Who is connected to the region; undefined in a part of a relay on several cores, whose coordinator knows it. */
  readonly registry: Registry<Session, Link> | undefined
  /** For what each connection waits for. */
  readonly timers: TimerQueue
  readonly clientDeadlines: WriteDeadlines
  readonly meshDeadlines: WriteDeadlines
  readonly sendQueuePackets: number
  readonly maxWriteBytes: number
  readonly greeting: Uint8Array
  readonly serverInfo: Uint8Array
  readonly clientInfos: ClientInfoReader = new ClientInfoReader()
  readonly #logins = new Set<ServerLogin>()
  readonly #sessions = new Set<Session>()
  /** Of refusals that an operator may want to do something about. */
  readonly #full: TallyLog<AddressPort | undefined>
  #toFlush: Writer[] = []
  #toFlushFirst: Flushable[] = []
  #turnWillEnd = false
  #rateLimit: RateLimit | undefined
  #closed = false

  /** @param createDirectory who else is to decide what must be decided once. Default: this relay itself. */
  constructor(options: RelayCoreOptions, createDirectory?: CreateDirectory) {
    this.options = resolveOptions(options)
    this.publicKey = options.privateKey.publicKey()
    this.greeting = encodeGreeting(this.publicKey)
    this.serverInfo = formatServerInfo(this.options.announcedLimits)
    const { clock, writeTimeoutMs, meshWriteTimeoutMs, sendQueuePackets, maxWriteBytes } = this.options
    this.timers = new TimerQueue(clock)
    this.clientDeadlines = new WriteDeadlines(clock, writeTimeoutMs)
    this.meshDeadlines = new WriteDeadlines(clock, meshWriteTimeoutMs)
    this.#rateLimit = this.options.rateLimit
    this.sendQueuePackets = sendQueuePackets
    this.maxWriteBytes = maxWriteBytes
    this.#full = new TallyLog(clock, (refused, lastRemote) =>
      this.options.log.warn('logins refused', { refused, lastRemote, clients: this.directory.connections }),
    )
    const local = createDirectory === undefined ? new LocalDirectory<Session>(this.routes) : undefined
    this.registry = local?.registry
    this.directory = local ?? (createDirectory as CreateDirectory)(this)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Sessions that have logged in. */
  get sessions(): ReadonlySet<Session> {
    return this.#sessions
  }

  /** Connections whose login is not complete. */
  get pendingLogins(): number {
    return this.#logins.size
  }

  /** Milliseconds of the relay's clock. */
  now(): number {
    return this.options.clock.now()
  }

  /** What each client may send; a change takes effect on those who are connected too (P-103). */
  get rateLimit(): RateLimit | undefined {
    return this.#rateLimit
  }

  set rateLimit(limit: RateLimit | undefined) {
    this.#rateLimit = limit
    for (const session of this.#sessions) session.limitRate(limit)
  }

  /** Takes a connection; it is closed when its login fails. */
  accept(conn: Conn, options: AcceptOptions = {}): void {
    this.counters.accepts++
    if (this.#closed) {
      conn.destroy()
      return
    }
    const login = new ServerLogin(this, conn, options)
    this.#logins.add(login)
    login.start()
  }

  /** Adds a way to clients elsewhere (P-075). A part of a relay on several cores has none: its coordinator does. */
  addLink(link: Link): LinkRoutes {
    if (this.registry === undefined) throw new TypeError('add link to relay core: its coordinator has the links')
    return new RegistryLinkRoutes(this.registry, link)
  }

  /**
   * Takes no more connections, tells clients to come back later, and ends their connections bit by bit.
   *
   * @returns a promise that resolves when all have ended.
   */
  async drain(options: DrainOptions): Promise<DrainResult> {
    this.#closed = true
    for (const login of this.#logins) login.abort()
    const { clock, random } = this.options
    return drain({ sessions: this.#sessions, clock, random }, options)
  }

  /** Ends all connections and takes no more. */
  close(): void {
    this.#closed = true
    for (const login of this.#logins) login.abort()
    for (const session of this.#sessions) session.close()
    this.clientDeadlines.close()
    this.meshDeadlines.close()
  }

  flushAfterTurn(writer: Writer): void {
    if (this.#toFlush.push(writer) === 1) this.#flushAtEndOfTurn()
  }

  /** The same before all writers: no answer to a client may overtake what the client has sent before. */
  flushFirstAfterTurn(link: Flushable): void {
    if (this.#toFlushFirst.push(link) === 1) this.#flushAtEndOfTurn()
  }

  /** A login is complete but for ServerInfo: makes the key reachable (P-036). */
  async sessionBegins(session: Session): Promise<void> {
    this.#sessions.add(session)
    this.counters.currentConnections++
    if (session.notIdeal) this.counters.currentNotIdealConnections++
    await this.directory.register(session)
    this.counters.logins++
    if (!session.isClosed) this.events.emit('clientConnected', session)
  }

  /** A session has ended, for whatever reason. */
  sessionEnded(session: Session): void {
    if (!this.#sessions.delete(session)) return
    this.directory.unregister(session)
    this.counters.currentConnections--
    if (session.notIdeal) this.counters.currentNotIdealConnections--
    if (session.isPreferred) this.counters.currentHomeConnections--
    this.events.emit('clientDisconnected', session)
  }

  /** A login has succeeded or failed. */
  loginEnded(login: ServerLogin): void {
    this.#logins.delete(login)
  }

  /** Counts, logs and tells of a connection that ended by a fault; clients do as they please, so it is no warning. */
  noteFailure(error: DerpError, remote: AddressPort | undefined, fields: LogFields = {}): void {
    const { code, message: reason } = error
    this.counters.fail(code)
    if (code === 'ERR_DERP_RELAY_FULL') this.#full.note('relay_full', remote)
    this.options.log.debug('connection ended', { ...fields, remote, code, reason })
    this.events.emit('connectionFailed', { code, reason, remote })
  }

  #flushAtEndOfTurn(): void {
    if (this.#turnWillEnd) return
    this.#turnWillEnd = true
    this.options.clock.afterTurn(() => {
      this.#turnWillEnd = false
      const [links, writers] = [this.#toFlushFirst, this.#toFlush]
      this.#toFlushFirst = []
      this.#toFlush = []
      for (const link of links) link.flush()
      for (const waiting of writers) waiting.endTurn()
    })
  }
}

/**
 * The relay without transports: takes connections, logs clients in, forwards their packets.
 *
 * Knows nothing of HTTP, sockets or Node; time, randomness and cryptography are passed in.
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
import type { Destination, Directory, Link, LinkRoutes } from './ports.ts'
import { QueueAge } from './queues/queue-age.ts'
import { QueueBudget } from './queues/queue-budget.ts'
import { WriteDeadlines } from './queues/write-deadlines.ts'
import type { Writer } from './queues/writer.ts'
import { FairShare } from './reading/fair-share.ts'
import { KeyTurns } from './reading/key-turns.ts'
import { LoginMemory } from './reading/login-memory.ts'
import { LoginTurns } from './reading/login-turns.ts'
import type { RateLimit } from './reading/rate-limit.ts'
import type { Region, RegionHost } from './region-ports.ts'
import type { Registry } from './registry.ts'
import { type AcceptOptions, ServerLogin } from './server-login.ts'
import type { Session } from './session.ts'
import { type Flushable, TurnFlush } from './turn-flush.ts'

/** Creates the directory of a worker; the core is not complete yet. */
export type CreateDirectory = (core: RelayCore) => Directory<Session>

/**
 * The relay without HTTP: takes connections that speak DERP, and passes packets between them.
 *
 * @example
 * ```ts
 * const core = new RelayCore({ privateKey, agreement: portableAgreement })
 * const [clientConn, serverConn] = memoryConnPair()
 * core.accept(serverConn)
 * ```
 */
export class RelayCore implements LoginHost<ServerLogin, Session>, RegionHost {
  /** @internal */
  readonly options: ResolvedRelayCoreOptions
  /** @internal */
  readonly handlers: typeof HANDLERS = HANDLERS
  /** The key by which clients know the relay. */
  readonly publicKey: NodePublicKey
  /** Counters since the start. */
  readonly counters: RelayCounters = new RelayCounters()
  /** @internal */
  readonly queueAge: QueueAge = new QueueAge(this.counters.queueAgeMs)
  /** @internal */
  readonly queueBudget: QueueBudget
  /** Emits connects, disconnects and failed connections. */
  readonly events: Emitter<RelayEvents> = new Emitter()
  /** Routes by key, maintained by the {@link directory}. @internal */
  readonly routes: KeyMap<Destination> = new KeyMap()
  /** @internal */
  readonly directory: Directory<Session>
  /** Who is connected to the region; undefined in a worker, whose coordinator has it. @internal */
  readonly registry: Registry<Session, Link> | undefined
  /** Timers of all connections. @internal */
  readonly timers: TimerQueue
  /** @internal */
  readonly keyTurns: KeyTurns
  /** @internal */
  readonly clientDeadlines: WriteDeadlines<Writer>
  /** @internal */
  readonly meshDeadlines: WriteDeadlines<Writer>
  /** @internal */
  readonly sendQueuePackets: number
  /** @internal */
  readonly maxWriteBytes: number
  /** @internal */
  readonly greeting: Uint8Array
  /** @internal */
  readonly serverInfo: Uint8Array
  /** @internal */
  readonly clientInfos: ClientInfoReader = new ClientInfoReader()
  /** @internal */
  readonly loginTurns: LoginTurns
  /** @internal */
  readonly loginMemory: LoginMemory = new LoginMemory()
  /** @internal */
  readonly seenSources: { count: number } = { count: 0 }
  readonly #logins = new Set<ServerLogin>()
  readonly #sessions = new Set<Session>()
  /** Refusals that an operator may want to act on. */
  readonly #full: TallyLog<AddressPort | undefined>
  readonly #turn: TurnFlush
  readonly #otherMeshKeys: TallyLog<{ readonly client: string; readonly remote: AddressPort | undefined }>
  #rateLimit: RateLimit | undefined
  #fairShare: FairShare | undefined
  #region: Region | undefined
  #closed = false

  /**
   * @param createDirectory creates the directory of a worker. Default: a directory of this relay alone.
   * @throws DerpError for an option that is out of bounds.
   */
  constructor(options: RelayCoreOptions, createDirectory?: CreateDirectory) {
    this.options = resolveOptions(options)
    this.publicKey = options.privateKey.publicKey()
    this.greeting = encodeGreeting(this.publicKey)
    this.serverInfo = formatServerInfo(this.options.announcedLimits)
    const { clock, writeTimeoutMs, meshWriteTimeoutMs, sendQueuePackets, maxWriteBytes } = this.options
    this.timers = new TimerQueue(clock)
    this.keyTurns = new KeyTurns(clock)
    this.loginTurns = new LoginTurns(clock)
    this.#turn = new TurnFlush(clock, () => this.queueBudget.enforce())
    this.clientDeadlines = new WriteDeadlines(clock, writeTimeoutMs)
    this.meshDeadlines = new WriteDeadlines(clock, meshWriteTimeoutMs)
    this.queueBudget = new QueueBudget(this.options.maxQueuedBytes, () => this.#writes())
    this.#rateLimit = this.options.rateLimit
    this.totalRate = this.options.totalRate
    this.sendQueuePackets = sendQueuePackets
    this.maxWriteBytes = maxWriteBytes
    this.#full = new TallyLog(clock, (refused, lastRemote) =>
      this.options.log.warn('logins refused', { refused, lastRemote, clients: this.directory.connections }),
    )
    this.#otherMeshKeys = new TallyLog(clock, ({ logins }, last) => {
      const reason = this.options.meshKey === undefined ? 'this relay has no mesh key' : 'the mesh key is another one'
      this.options.log.warn('mesh peer refused: relays of a mesh must share one key', { logins, ...last, reason })
    })
    const local = createDirectory === undefined ? new LocalDirectory<Session>(this.routes) : undefined
    this.registry = local?.registry
    this.directory = local ?? (createDirectory as CreateDirectory)(this)
  }

  /** Whether it accepts no more connections. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Sessions that have logged in. */
  get sessions(): ReadonlySet<Session> {
    return this.#sessions
  }

  /** Connections still logging in. */
  get pendingLogins(): number {
    return this.#logins.size
  }

  /** Milliseconds of the relay's clock. */
  now(): number {
    return this.options.clock.now()
  }

  /** Limit per client; a change also applies to connected clients. */
  get rateLimit(): RateLimit | undefined {
    return this.#rateLimit
  }

  set rateLimit(limit: RateLimit | undefined) {
    this.#rateLimit = limit
    for (const session of this.#sessions) session.limitRate(limit)
  }

  /** Divides {@link totalRate}; undefined without one. @internal */
  get fairShare(): FairShare | undefined {
    return this.#fairShare
  }

  /** Bytes per second from all clients together; 0 for no limit. A change also applies to connected clients. */
  set totalRate(bytesPerSecond: number) {
    if (bytesPerSecond === 0) {
      const ended = this.#fairShare
      this.#fairShare = undefined
      ended?.end()
    } else if (this.#fairShare === undefined) {
      this.#fairShare = new FairShare(this.options.clock, bytesPerSecond, this.options.shareLedger)
    } else this.#fairShare.bytesPerSecond = bytesPerSecond
  }

  /** Takes over a connection; it is closed if its login fails. */
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

  /** Adds a path to clients elsewhere. Not available in a worker: its coordinator has the links. */
  addLink(link: Link, keepsKeys?: boolean): LinkRoutes {
    if (this.registry === undefined) throw new TypeError('add link to relay core: its coordinator has the links')
    return new RegistryLinkRoutes(this.registry, link, keepsKeys)
  }

  /** Connections with a write under way, clients before mesh peers. */
  *#writes(): Iterable<Writer> {
    yield* this.clientDeadlines.pending()
    yield* this.meshDeadlines.pending()
  }

  /** The region that the relay is in, if it is in one. @internal */
  get region(): Region | undefined {
    return this.#region
  }

  /** Not available in a worker: its coordinator is told of its clients. @internal */
  joinRegion(region: Region): void {
    this.#region = region
    if (this.directory instanceof LocalDirectory) this.directory.joinRegion(region)
  }

  /** @internal */
  destinationOf(bytes: Uint8Array, offset: number): Destination | undefined {
    return this.routes.get(bytes, offset)
  }

  /** @internal */
  isAwaited(bytes: Uint8Array, offset: number): boolean {
    return this.registry?.isAwaited(bytes, offset) ?? false
  }

  /** @internal */
  keyLeft(key: NodePublicKey): void {
    this.registry?.leave(key)
  }

  /** Closes all connections of a key, those to other workers included. The client may connect again. */
  closePeer(key: NodePublicKey): void {
    void this.directory.closePeer(key)
  }

  /**
   * Accepts no more connections, tells clients to reconnect later, and closes their connections gradually.
   *
   * @returns a promise that resolves when all connections have ended.
   */
  async drain(options: DrainOptions): Promise<DrainResult> {
    this.#closed = true
    for (const login of this.#logins) login.abort()
    const { clock, random } = this.options
    return drain({ sessions: this.#sessions, clock, random }, options)
  }

  /** Closes all connections and accepts no more. */
  close(): void {
    this.#closed = true
    for (const login of this.#logins) login.abort()
    for (const session of this.#sessions) session.close()
    this.clientDeadlines.close()
    this.meshDeadlines.close()
    this.#full.end()
    this.#otherMeshKeys.end()
  }

  /** @internal */
  flushAfterTurn(writer: Writer): void {
    this.#turn.add(writer)
  }

  /** Flushes a link after this turn, before all writers: no reply may overtake what its receiver has sent before. @internal */
  flushFirstAfterTurn(link: Flushable): void {
    this.#turn.addFirst(link)
  }

  /** A login is complete except for ServerInfo: makes the key reachable. @internal */
  async sessionBegins(session: Session): Promise<void> {
    this.#sessions.add(session)
    this.counters.currentConnections++
    if (session.notIdeal) this.counters.currentNotIdealConnections++
    await this.directory.register(session)
    this.counters.logins++
    if (!session.isClosed) this.events.emit('clientConnected', session)
  }

  /** A session has ended, for whatever reason. @internal */
  sessionEnded(session: Session): void {
    if (!this.#sessions.delete(session)) return
    this.directory.unregister(session)
    this.counters.currentConnections--
    if (session.notIdeal) this.counters.currentNotIdealConnections--
    if (session.isPreferred) this.counters.currentHomeConnections--
    this.events.emit('clientDisconnected', session)
  }

  /** @internal */
  noteOtherMeshKey(key: NodePublicKey, remote: AddressPort | undefined): void {
    this.#otherMeshKeys.note('logins', { client: key.shortString(), remote })
  }

  /** A login has succeeded or failed. @internal */
  loginEnded(login: ServerLogin): void {
    this.#logins.delete(login)
  }

  /** Counts, logs and reports a connection that ended with an error. Client faults are routine: debug level. @internal */
  noteFailure(error: DerpError, remote: AddressPort | undefined, fields: LogFields = {}): void {
    const { code, message: reason } = error
    this.counters.fail(code)
    if (code === 'ERR_DERP_RELAY_FULL') this.#full.note('relay_full', remote)
    this.options.log.debug('connection ended', { ...fields, remote, code, reason })
    this.events.emit('connectionFailed', { code, reason, remote })
  }
}

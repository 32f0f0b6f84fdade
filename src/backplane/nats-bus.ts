/**
 * A {@link Bus} over NATS. The only file that uses the NATS client, which is loaded when a bus is opened.
 *
 * Clauses: P-317 acknowledgements, P-318 outages, P-320 subjects.
 */

import type * as Nats from '@nats-io/transport-node'
import type { Authenticator, ConnectionOptions, NatsConnection, Status, TlsOptions } from '@nats-io/transport-node'
import { EMPTY_BYTES } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { explainError, trustFixes, withFixes } from '../lib/connection-fault.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import type { Bus, BusHandler } from './bus.ts'
import { BROADCASTS, type Broadcast } from './message.ts'
import { isRelayId, type RelayId } from './stamp.ts'

/** Maximum number of unacknowledged bytes. */
const MAX_UNACKED_BYTES: number = 8 << 20
/** Milliseconds without an acknowledgement after which NATS counts as unreachable. */
const STALL_MS = 2_000
/** Milliseconds between connection attempts. */
const RETRY_MS = 1_000
/** Milliseconds for accepted messages to be sent on close. */
const CLOSE_MS = 1_000
/** Smallest acceptable NATS message limit in bytes. Our largest messages are lists of 40 KB. */
const MIN_MAX_PAYLOAD: number = 64 << 10

const TRUST_FIXES = trustFixes(
  'have the server send its whole chain, or name the certificate of its CA in -nats-tls-ca',
)

/** Timeouts of the client: a frozen server is abandoned after at most six seconds. */
const PATIENCE: ConnectionOptions = {
  noEcho: true,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  reconnectJitterTLS: 500,
  pingInterval: 2_000,
  maxPingOut: 2,
  timeout: 5_000,
  ignoreAuthErrorAbort: true,
  // A first attempt that is refused would go on with the discovered servers forever, without an error.
  ignoreClusterUpdates: true,
}

/** What is used of the NATS client. */
export type NatsClient = Pick<typeof Nats, 'connect' | 'credsAuthenticator' | 'PermissionViolationError'>

export interface NatsBusOptions {
  /** `nats:` or `tls:` URLs, optionally with user and password. Others of the cluster are not used. */
  readonly servers: readonly string[]
  readonly region: string
  readonly ownId: RelayId
  /** Reads the credentials, before each connection. Default: none. */
  readonly readCredentials?: (() => Promise<Uint8Array>) | undefined
  /** Paths of PEM files, read for each connection attempt. */
  readonly tls?: Pick<TlsOptions, 'caFile' | 'certFile' | 'keyFile'> | undefined
  /** Default: the npm package. */
  readonly loadClient?: () => Promise<NatsClient>
  readonly clock: Clock
  readonly log: Log
}

export class NatsBus implements Bus {
  readonly #options: NatsBusOptions
  readonly #closing = new AbortController()
  /** The client wants them at once. */
  #credentials: Uint8Array = EMPTY_BYTES
  #handler: BusHandler | undefined
  #connection: NatsConnection | undefined
  /** Subscribed, and not rejected by permissions. */
  #isReady = false
  /** Incremented with each connection; responses on earlier ones are ignored. */
  #generation = 0
  #unackedBytes = 0
  /** It rejects messages until NATS has acknowledged half of the outstanding bytes. */
  #isFull = false
  /** Time of the pending flush, in milliseconds. */
  #askedAtMs: number | undefined

  constructor(options: NatsBusOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    const isStalled = this.#askedAtMs !== undefined && this.#options.clock.now() - this.#askedAtMs > STALL_MS
    return this.#isReady && !isStalled && !this.#isFull
  }

  open(handler: BusHandler): void {
    this.#handler = handler
    this.#run().catch((error: unknown) => this.#goDown(`load the NATS client: ${messageOf(error)}`))
  }

  broadcast(kind: Broadcast, bytes: Uint8Array): boolean {
    return this.#publish(`derp.${this.#options.region}.${kind}.${this.#options.ownId}`, bytes)
  }

  send(to: RelayId, bytes: Uint8Array): boolean {
    return this.#publish(`derp.${this.#options.region}.to.${to}.${this.#options.ownId}`, bytes)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const connection = this.#connection
    if (connection === undefined) return
    if (this.#isReady) {
      const flushed = new AbortController()
      const timeout = sleep(this.#options.clock, CLOSE_MS, flushed.signal)
      await Promise.race([connection.flush().catch(() => {}), timeout])
      flushed.abort()
    }
    this.#isReady = false
    await connection.close()
  }

  /** Tries to connect until it succeeds; after that the client reconnects by itself. */
  async #run(): Promise<void> {
    const { clock, loadClient = () => import('@nats-io/transport-node') } = this.#options
    const nats = await loadClient()
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        await this.#loadCredentials()
        const connection = await nats.connect(this.#connectionOptions(nats))
        this.#connection = connection
        if (signal.aborted) await connection.close()
        else await this.#use(nats, connection)
      } catch (error) {
        this.#goDown(`connect to ${this.#servers()}: ${withFixes(explainError(error), TRUST_FIXES)}`)
      }
      await sleep(clock, RETRY_MS, signal)
    }
  }

  async #loadCredentials(): Promise<void> {
    const { readCredentials } = this.#options
    if (readCredentials !== undefined) this.#credentials = await readCredentials()
  }

  /** Without passwords. */
  #servers(): string {
    return this.#options.servers.map(server => new URL(server).host).join(', ')
  }

  #connectionOptions(nats: NatsClient): ConnectionOptions {
    const { servers, ownId, readCredentials, tls } = this.#options
    const authenticator: Authenticator | undefined =
      readCredentials === undefined ? undefined : nats.credsAuthenticator(() => this.#credentials)
    const urls = servers.map(server => new URL(server))
    const account = urls.find(({ username }) => username !== '')
    const wantsTls = tls !== undefined || urls.some(({ protocol }) => protocol === 'tls:')
    return {
      ...PATIENCE,
      servers: urls.map(({ host }) => host),
      name: `derper ${ownId}`,
      ...(account !== undefined && accountOf(account)),
      ...(authenticator !== undefined && { authenticator }),
      ...(wantsTls && { tls: { ...tls } }),
    }
  }

  /** Resolves when the connection is permanently closed. */
  async #use(nats: NatsClient, connection: NatsConnection): Promise<void> {
    const { region, ownId } = this.#options
    const subscribe = (subject: string, isDirect: boolean) =>
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) this.#receive(message.subject, message.data, isDirect)
        },
      })
    for (const kind of BROADCASTS) subscribe(`derp.${region}.${kind}.*`, false)
    subscribe(`derp.${region}.to.${ownId}.*`, true)
    this.#whenSubscribed(connection)
    for await (const status of connection.status()) this.#onStatus(nats, connection, status)
    const error = await connection.closed()
    this.#goDown(error === undefined ? 'the connection was closed' : messageOf(error))
  }

  #onStatus(nats: NatsClient, connection: NatsConnection, status: Status): void {
    // Before the client reconnects: they may have been replaced. Those in use stay if they cannot be read.
    if (status.type === 'disconnect' || status.type === 'reconnecting') this.#loadCredentials().catch(() => {})
    if (status.type === 'disconnect') this.#goDown(`connection to ${status.server} lost`)
    else if (status.type === 'reconnect') this.#whenSubscribed(connection)
    else if (status.type === 'error' && status.error instanceof nats.PermissionViolationError) {
      const { operation, subject } = status.error
      this.#goDown(`not permitted to ${operation === 'publish' ? 'publish' : 'subscribe'} to ${subject}`)
    }
  }

  /** Reports that the bus is up once NATS has accepted all subscriptions. */
  #whenSubscribed(connection: NatsConnection): void {
    const generation = ++this.#generation
    this.#unackedBytes = 0
    this.#isFull = false
    this.#askedAtMs = undefined
    const { region, ownId } = this.#options
    // Nobody receives it: NATS says whether this relay may send to others before it joins.
    connection.publish(`derp.${region}.to.${ownId}.${ownId}`)
    connection.flush().then(
      // NATS sends refusals before the reply, but the client reports them after it.
      () => this.#options.clock.afterTurn(() => this.#comeUp(connection, generation)),
      () => {},
    )
  }

  #comeUp(connection: NatsConnection, generation: number): void {
    if (generation !== this.#generation || this.#closing.signal.aborted) return
    const maxPayload = connection.info?.max_payload ?? 0
    if (maxPayload < MIN_MAX_PAYLOAD) {
      this.#goDown(`max_payload is ${maxPayload}, expected at least ${MIN_MAX_PAYLOAD}`)
      return
    }
    this.#isReady = true
    this.#options.log.info('connected to NATS', { server: connection.getServer() })
    this.#handler?.onUp()
  }

  #goDown(reason: string): void {
    this.#generation++
    this.#isReady = false
    if (!this.#closing.signal.aborted) this.#handler?.onDown(reason)
  }

  #receive(subject: string, bytes: Uint8Array, isDirect: boolean): void {
    const from = subject.slice(subject.lastIndexOf('.') + 1)
    if (this.#isReady && isRelayId(from)) this.#handler?.onMessage(from, bytes, isDirect)
  }

  #publish(subject: string, bytes: Uint8Array): boolean {
    const size = subject.length + bytes.length
    if (!this.#isReady) return false
    if (this.#unackedBytes + size > MAX_UNACKED_BYTES) this.#isFull = true
    if (this.#isFull) return false
    try {
      this.#connection?.publish(subject, bytes)
    } catch {
      // It was closed; the status iterator will report it.
      return false
    }
    this.#unackedBytes += size
    if (this.#askedAtMs === undefined) this.#ask()
    return true
  }

  /** Flushes: NATS responds after everything sent so far. */
  #ask(): void {
    const generation = this.#generation
    const bytes = this.#unackedBytes
    this.#askedAtMs = this.#options.clock.now()
    this.#connection?.flush().then(
      () => {
        if (generation !== this.#generation) return
        this.#askedAtMs = undefined
        this.#unackedBytes -= bytes
        if (this.#unackedBytes <= MAX_UNACKED_BYTES / 2) this.#isFull = false
        if (this.#unackedBytes > 0) this.#ask()
      },
      () => {},
    )
  }
}

/** The client does not take these from URLs. */
function accountOf({ username, password }: URL): Pick<ConnectionOptions, 'user' | 'pass'> {
  return { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * The messages of a region over NATS. The only file that knows the NATS client, which is loaded when a bus is opened.
 *
 * Clauses: P-317 bound, P-318 outages, P-320 subjects.
 */

import type * as Nats from '@nats-io/transport-node'
import type { Authenticator, ConnectionOptions, NatsConnection, Status, TlsOptions } from '@nats-io/transport-node'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import type { Bus, BusHandler } from './bus.ts'
import { BROADCASTS, type Broadcast } from './message.ts'
import { isRelayId, type RelayId } from './stamp.ts'

/** Bytes that NATS may leave unacknowledged. */
const MAX_UNACKED_BYTES: number = 8 << 20
/** Milliseconds without an acknowledgement after which NATS counts as out of reach, until one comes. */
const STALL_MS = 2_000
/** Milliseconds between two attempts. */
const RETRY_MS = 1_000
/** Milliseconds that what was taken may need to leave when the bus is closed. */
const CLOSE_MS = 1_000
/** Bytes that a message may have. The largest of ours are lists of 40 KB. */
const LEAST_MAX_PAYLOAD: number = 64 << 10

/** How the client waits: a frozen server is left after six seconds at most. */
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
}

export interface NatsBusOptions {
  /** URLs of servers, `nats:` or `tls:`, with user and password if any; others of their cluster are learnt from them. */
  readonly servers: readonly string[]
  readonly region: string
  readonly ownId: RelayId
  /** Reads the credentials, at each attempt to connect. Default: none are sent. */
  readonly readCredentials?: (() => Uint8Array) | undefined
  /** Names of PEM files, read at each attempt to connect. */
  readonly tls?: Pick<TlsOptions, 'caFile' | 'certFile' | 'keyFile'> | undefined
  readonly clock: Clock
  readonly log: Log
}

export class NatsBus implements Bus {
  readonly #options: NatsBusOptions
  readonly #closing = new AbortController()
  #handler: BusHandler | undefined
  #connection: NatsConnection | undefined
  /** Subscribed, and permitted to. */
  #isReady = false
  /** Increases with each connection, so that answers of an earlier one count for nothing. */
  #generation = 0
  #unackedBytes = 0
  /** It has refused messages, and NATS has not acknowledged half of the others yet. */
  #isFull = false
  /** When NATS was asked for the acknowledgement that is outstanding, in milliseconds. */
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
    if (this.#isReady) await Promise.race([connection.flush().catch(() => {}), sleep(this.#options.clock, CLOSE_MS)])
    this.#isReady = false
    await connection.close()
  }

  /** Connects, again and again. Once connected, the client reconnects by itself. */
  async #run(): Promise<void> {
    const nats = await import('@nats-io/transport-node')
    const { clock } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        const connection = await nats.connect(this.#connectionOptions(nats))
        this.#connection = connection
        if (signal.aborted) await connection.close()
        else await this.#use(nats, connection)
      } catch (error) {
        this.#goDown(messageOf(error))
      }
      await sleep(clock, RETRY_MS, signal).catch(() => {})
    }
  }

  #connectionOptions(nats: typeof Nats): ConnectionOptions {
    const { servers, ownId, readCredentials, tls } = this.#options
    const authenticator: Authenticator | undefined =
      readCredentials === undefined ? undefined : nats.credsAuthenticator(readCredentials)
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

  /** Resolves when the connection is closed for good. */
  async #use(nats: typeof Nats, connection: NatsConnection): Promise<void> {
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

  #onStatus(nats: typeof Nats, connection: NatsConnection, status: Status): void {
    if (status.type === 'disconnect') this.#goDown(`connection to ${status.server} lost`)
    else if (status.type === 'reconnect') this.#whenSubscribed(connection)
    else if (status.type === 'error' && status.error instanceof nats.PermissionViolationError) {
      const { operation, subject } = status.error
      this.#goDown(`not permitted to ${operation === 'publish' ? 'publish' : 'subscribe'} to ${subject}`)
    }
  }

  /** Reports that the bus is up once NATS has taken all subscriptions, and refused none. */
  #whenSubscribed(connection: NatsConnection): void {
    const generation = ++this.#generation
    this.#unackedBytes = 0
    this.#isFull = false
    this.#askedAtMs = undefined
    connection.flush().then(
      () => {
        if (generation !== this.#generation || this.#closing.signal.aborted) return
        const maxPayload = connection.info?.max_payload ?? 0
        if (maxPayload < LEAST_MAX_PAYLOAD) {
          this.#goDown(`max_payload is ${maxPayload}, expected at least ${LEAST_MAX_PAYLOAD}`)
          return
        }
        this.#isReady = true
        this.#options.log.info('connected to NATS', { server: connection.getServer() })
        this.#handler?.onUp()
      },
      () => {},
    )
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
      // It was closed, of which the status tells soon.
      return false
    }
    this.#unackedBytes += size
    if (this.#askedAtMs === undefined) this.#ask()
    return true
  }

  /** Asks NATS to acknowledge all that was sent so far; its answer follows that. */
  #ask(): void {
    const generation = this.#generation
    const bytes = this.#unackedBytes
    this.#askedAtMs = this.#options.clock.now()
    this.#connection?.flush().then(
      () => {
        if (generation !== this.#generation) return
        this.#askedAtMs = undefined
        this.#unackedBytes -= bytes
        if (this.#unackedBytes < MAX_UNACKED_BYTES / 2) this.#isFull = false
        if (this.#unackedBytes > 0) this.#ask()
      },
      () => {},
    )
  }
}

/** The client does not read these from URLs. */
function accountOf({ username, password }: URL): Pick<ConnectionOptions, 'user' | 'pass'> {
  return { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

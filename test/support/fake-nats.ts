/** A bus over a NATS client whose connections tests control instead of a server. */

import {
  type ConnectionOptions,
  type NatsConnection,
  PermissionViolationError,
  type Status,
  type SubscriptionOptions,
} from '@nats-io/transport-node'
import { NatsBus, type NatsBusOptions, type NatsClient } from '../../src/backplane/nats-bus.ts'
import { silentLog } from '../../src/lib/log.ts'
import { FakeClock } from './fake-clock.ts'
import { settle } from './settle.ts'

export const OWN = '00000000000000aa'

export class FakeNats {
  /** Options of each attempt to connect. */
  readonly attempts: ConnectionOptions[] = []
  readonly connections: FakeNatsConnection[] = []
  /** What attempts wait for, and fail with. */
  access: () => Promise<void> = async () => {}

  readonly client: NatsClient = {
    credsAuthenticator: credentials => () => {
      const bytes = typeof credentials === 'function' ? credentials() : credentials
      return { auth_token: new TextDecoder().decode(bytes) }
    },
    PermissionViolationError,
    connect: async (options = {}) => {
      this.attempts.push(options)
      await this.access()
      const connection = new FakeNatsConnection()
      this.connections.push(connection)
      return connection as unknown as NatsConnection
    },
  }

  /** The latest connection. */
  get connection(): FakeNatsConnection {
    const connection = this.connections.at(-1)
    if (connection === undefined) throw new Error('nothing has connected')
    return connection
  }
}

export class FakeNatsConnection {
  info = { max_payload: 1 << 20 }
  /** Subjects of published messages. */
  readonly published: string[] = []
  readonly subscriptions = new Map<string, SubscriptionOptions>()
  isClosed = false
  /** Flushes since the connection was made. */
  flushes = 0
  readonly #unanswered: PromiseWithResolvers<void>[] = []
  readonly #closed: PromiseWithResolvers<Error | undefined> = Promise.withResolvers()
  readonly #statuses = new TransformStream<Status, Status>()
  readonly #statusWriter = this.#statuses.writable.getWriter()

  /** Answers one of the flushes that wait for it, by default the oldest. */
  acknowledge(at = 0): void {
    for (const flush of this.#unanswered.splice(at, 1)) flush.resolve()
  }

  report(status: Status): void {
    this.#statusWriter.write(status).catch(() => {})
  }

  /** The connection ends for good. */
  end(error?: Error): void {
    this.isClosed = true
    for (const flush of this.#unanswered.splice(0)) flush.reject(new Error('closed connection'))
    this.#statusWriter.close().catch(() => {})
    this.#closed.resolve(error)
  }

  deliver(subscription: string, subject: string, error: Error | null = null): void {
    const message = { subject, data: new Uint8Array(1) }
    void this.subscriptions.get(subscription)?.callback?.(error, message as never)
  }

  subscribe(subject: string, options: SubscriptionOptions): void {
    this.subscriptions.set(subject, options)
  }

  publish(subject: string): void {
    if (this.isClosed) throw new Error('closed connection')
    this.published.push(subject)
  }

  flush(): Promise<void> {
    const flush = Promise.withResolvers<void>()
    this.#unanswered.push(flush)
    this.flushes++
    return flush.promise
  }

  status(): AsyncIterable<Status> {
    return this.#statuses.readable
  }

  closed(): Promise<Error | undefined> {
    return this.#closed.promise
  }

  async close(): Promise<void> {
    this.end()
  }

  getServer(): string {
    return '192.0.2.1:4222'
  }
}

/** A bus that was opened, and what it told its handler and the log. Its relay is {@link OWN}. */
export async function openBus(options: Partial<NatsBusOptions> = {}) {
  const clock = new FakeClock()
  const nats = new FakeNats()
  const events: unknown[] = []
  const bus = new NatsBus({
    servers: ['nats://one.example:4222', 'nats://two.example:4222'],
    region: 'test',
    ownId: OWN,
    clock,
    log: { ...silentLog, info: (message, fields) => events.push([message, fields]) },
    loadClient: async () => nats.client,
    ...options,
  })
  bus.open({
    onUp: () => events.push('up'),
    onDown: reason => events.push(`down: ${reason}`),
    onMessage: (from, _, isDirect) => events.push(`${from} ${isDirect ? 'tells' : 'says'}`),
  })
  await settle()
  return { bus, clock, nats, events }
}

/** A bus that is up, and what it told from then on. */
export async function joinBus(options?: Partial<NatsBusOptions>) {
  const opened = await openBus(options)
  opened.nats.connection.acknowledge()
  await settle()
  opened.events.length = 0
  return { ...opened, connection: opened.nats.connection }
}

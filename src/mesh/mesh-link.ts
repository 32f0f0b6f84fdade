/**
 * The link to one mesh peer: tracks its clients and forwards packets to them.
 *
 * Clauses: P-078 mesh links, P-215 watch loop, P-217 links to itself.
 */

import { type Client, linkOf } from '../client/client.ts'
import { type WatchedClient, WatchLoop } from '../client/watch-loop.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Clock } from '../lib/clock.ts'
import { SYSTEM_TRUST_FIXES, withFixes } from '../lib/connection-fault.ts'
import { DerpError, isDerpError } from '../lib/derp-error.ts'
import type { Log, LogFields } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import { MeshLinkCounters, type MeshLinkSnapshot, type MeshLinkState } from '../metrics/mesh-counters.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'
import type { Destination, Link, LinkRoutes, RouteTable } from '../server/ports.ts'
import { ForwardSender } from './forward-sender.ts'

/**
 * Maximum extra delay in milliseconds of a retry, beyond the watch loop's pause: mesh peers of a restarted relay must not
 * all reconnect at the same moment.
 */
const JITTER_MS = 2_500
/** The whole delay after a restart that was announced: the peer's successor may be there already. */
const RESTART_JITTER_MS = 500
/** Milliseconds added to that after a link was closed for too many clients. */
const OVERFLOW_PAUSE_MS = 60_000

export interface MeshLinkPorts {
  readonly table: RouteTable
  /** The relay's own key: a link to the relay itself is closed. */
  readonly ownKey: NodePublicKey
  readonly clock: Clock
  readonly log: Log
  /** Random numbers in [0, 1). */
  readonly random: () => number
  /** Clients that the mesh peer may announce; beyond that the link is closed. 0 for no limit. */
  readonly maxClients: number
}

/** The watch loop's messages become details: the link reports its own state. */
function quietLog(log: Log): Log {
  const debug = (message: string, fields: LogFields = {}) => log.debug(message, fields)
  return { debug, info: debug, warn: debug, error: (message, fields) => log.error(message, fields) }
}

export class MeshLink implements Link {
  readonly #host: string
  readonly #client: Client
  readonly #ports: MeshLinkPorts
  readonly #counters = new MeshLinkCounters()
  readonly #queue: ForwardSender
  readonly #stopping = new AbortController()
  #state: MeshLinkState = 'connecting'
  /** Undefined until the link runs: the route table may not exist before the relay listens. */
  #routes: LinkRoutes | undefined
  #hasFailed = false
  /** The mesh peer has announced that it restarts. */
  #isRestarting = false
  /** ServerInfo has arrived; presence may not have. */
  #isLoggedIn = false
  /** Additional delay of the next attempt. */
  #pauseMs = 0

  /** @param client with the relay's own key and the mesh key, watching; used only by this link. */
  constructor(host: string, client: Client, ports: MeshLinkPorts) {
    this.#host = host
    this.#client = client
    this.#ports = ports
    this.#queue = new ForwardSender(this.#counters, ports.clock)
  }

  get snapshot(): MeshLinkSnapshot {
    return { host: this.#host, state: this.#state, peers: this.#routes?.size ?? 0, counters: this.#counters }
  }

  /** Keeps the link up. Resolves when stopped, or if it leads to the relay itself. */
  async run(): Promise<void> {
    const { clock, ownKey, table } = this.#ports
    const log = quietLog(this.#ports.log)
    const routes = table.addLink(this)
    this.#routes = routes
    const retryMs = () => (this.#isRestarting ? 0 : undefined)
    const loopPorts = { clock, log, closed: this.#stopping.signal, retryMs }
    await new WatchLoop(this.#observed(), loopPorts, {
      ignoreServerKey: ownKey,
      signal: this.#stopping.signal,
      infoLog: log,
      add: ({ peer }) => this.#announce(routes, peer),
      remove: ({ peer }) => routes.withdraw(peer),
    }).run()
    if (this.#stopping.signal.aborted) this.#goDown('stopped')
    else this.#giveUp()
    await this.#client[Symbol.asyncDispose]()
  }

  /** Makes {@link run} return. */
  stop(): void {
    this.#stopping.abort()
  }

  /** One queue for all clients of the mesh peer: the frames name their destinations. */
  destinationFor(): Destination {
    return this.#queue
  }

  /** The client as the watch loop sees it: the link observes its own state through it. */
  #observed(): WatchedClient {
    const client = this.#client
    return {
      connect: async signal => {
        const { clock, random } = this.#ports
        const jitterMs = random() * (this.#isRestarting ? RESTART_JITTER_MS : JITTER_MS)
        if (this.#hasFailed) await sleep(clock, jitterMs + this.#pauseMs, this.#stopping.signal)
        this.#pauseMs = 0
        this.#isRestarting = false
        await this.#noting(client.connect(signal))
      },
      recvDetail: async signal => {
        const detail = await this.#noting(client.recvDetail(signal))
        this.#onMessage(detail.message)
        return detail
      },
      serverPublicKey: () => client.serverPublicKey(),
    }
  }

  async #noting<T>(call: Promise<T>): Promise<T> {
    try {
      return await call
    } catch (error) {
      this.#noteFailure(error)
      throw error
    }
  }

  #announce(routes: LinkRoutes, client: NodePublicKey): void {
    routes.announce(client)
    const { maxClients } = this.#ports
    if (maxClients === 0 || routes.size <= maxClients) return
    this.#counters.overflows++
    this.#pauseMs = OVERFLOW_PAUSE_MS
    const reason = `watch mesh peer ${this.#host}: it has more than ${maxClients} clients, the limit of -mesh-max-clients`
    linkOf(this.#client)?.derp.close(new DerpError('ERR_DERP_MESH_FULL', reason, { clause: 'P-078' }))
  }

  /** Presence, starting with our own, proves that the mesh key was accepted; a login alone does not. */
  #onMessage({ type }: ReceivedMessage): void {
    if (type === 'serverInfo') this.#isLoggedIn = true
    if (type === 'serverRestarting') this.#isRestarting = true
    if (type !== 'peerPresent' || this.#state === 'up') return
    this.#state = 'up'
    this.#hasFailed = false
    this.#counters.connects++
    this.#queue.use(linkOf(this.#client)?.derp)
    this.#ports.log.info('mesh link is up', { connects: this.#counters.connects })
  }

  /** Reports the first of several consecutive failures: retries continue until one works. */
  #noteFailure(error: unknown): void {
    if (!this.#hasFailed && !this.#stopping.signal.aborted) {
      const code = isDerpError(error) ? error.code : undefined
      this.#ports.log.warn('mesh link is down', { code, reason: this.#reasonOf(error as Error) })
    }
    this.#hasFailed = true
    this.#goDown('connecting')
  }

  #reasonOf(error: Error): string {
    const message = withFixes(error.message, SYSTEM_TRUST_FIXES)
    if (!this.#isLoggedIn || this.#state === 'up') return message
    const cause = 'login succeeded, but as an ordinary client: its mesh key differs or is missing'
    return `link to mesh peer ${this.#host}: ${cause} (${message}); give both the same -mesh-psk-file`
  }

  #giveUp(): void {
    this.#ports.log.info('mesh link leads to this relay itself: closed')
    this.#goDown('self')
  }

  #goDown(state: MeshLinkState): void {
    this.#state = state
    this.#isLoggedIn = false
    this.#queue.use(undefined)
  }
}

/**
 * The client that stays connected on its own, whatever happens to relay and network.
 *
 * {@link Client} reports each failure once and leaves retrying to the caller; this one retries by itself.
 * Clauses: P-060 peers gone, P-091 pings, P-092 health, P-093 restarts, P-209 close, P-207, P-210.
 */

import type { NodePublicKey } from '../../keys/public-key.ts'
import { abortable } from '../../lib/abort.ts'
import { copyBytes } from '../../lib/bytes.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { Emitter } from '../../lib/emitter.ts'
import { withTimeLimit } from '../../lib/time-limit.ts'
import type { ReceivedMessage } from '../../protocol/messages.ts'

import { closedError, type Link } from '../link-keeper.ts'
import { assertPacket, assertPublicKey } from '../packet.ts'
import { pingOver } from '../ping.ts'
import { ReceiveQueue } from '../receive-queue.ts'
import type { ReceivedDetail } from '../received-detail.ts'
import { Reconnector } from './reconnector.ts'
import type { ResilientEvents, ResilientState } from './resilient-events.ts'
import {
  type ResilientClientOptions,
  type ResolvedResilientOptions,
  resolveResilientOptions,
} from './resilient-options.ts'

/**
 * A client of the best of several relays that serve the same clients.
 *
 * Idle until first used; then connected or connecting until {@link close}. It receives all the time to detect dead
 * connections: take the messages, or reading stops.
 *
 * @example
 * ```ts
 * const client = new ResilientClient({ targets: [url], createClient: target => new Client(privateKey, target) })
 * client.events.on('state', ({ state, reason }) => console.log(state, reason))
 * for await (const message of client) console.log(message.type)
 * ```
 */
export class ResilientClient<T = string | URL> implements AsyncIterable<ReceivedMessage, void> {
  /** State changes, health reports and departed peers, as they happen. */
  readonly events: Emitter<ResilientEvents> = new Emitter()
  readonly #options: ResolvedResilientOptions<T>
  readonly #reconnector: Reconnector<T>
  readonly #queue: ReceiveQueue<ReceivedDetail>
  readonly #waiters = new Set<PromiseWithResolvers<Link>>()
  #link: Link | undefined
  /** Resolves when the queue has room again. */
  #room: PromiseWithResolvers<void> | undefined

  /** Opens nothing yet. @throws DerpError for an option that is out of bounds. */
  constructor(options: ResilientClientOptions<T>) {
    this.#options = resolveResilientOptions(options)
    this.#queue = new ReceiveQueue(this.#options.receiveQueueBytes)
    this.#reconnector = new Reconnector(this.#options, {
      events: this.events,
      onLink: link => this.#onLink(link),
      onMessage: (message, generation) => this.#onMessage(message, generation),
    })
    this.#reconnector.replaceTargets(options.targets)
  }

  /** What it does at present. */
  get state(): ResilientState {
    return this.#reconnector.state
  }

  /** Starts, and resolves when a relay has admitted the client, however long that takes; `signal` only ends the wait. */
  async connect(signal?: AbortSignal): Promise<void> {
    await this.#connected('connect', Number.POSITIVE_INFINITY, signal)
  }

  /** Closes the client for good, like {@link Client.close}. */
  async close(): Promise<void> {
    if (this.state === 'closed') throw closedError('close client')
    const error = closedError()
    this.#reconnector.stop()
    for (const { reject } of this.#waiters) reject(error)
    this.#queue.fail(error)
    this.#queue.clear()
  }

  /** Closes the client unless that was done. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.state !== 'closed') await this.close()
  }

  /**
   * Sends a packet of at most 64 KiB. `data` may be reused immediately.
   *
   * Waits up to `sendWaitMs` for a connection, then rejects with the code `ERR_DERP_CLIENT_NOT_CONNECTED` and the last
   * failure as cause. If the connection breaks, the packet is rejected and not resent: it may have arrived.
   */
  async send(destination: NodePublicKey, data: Uint8Array, signal?: AbortSignal): Promise<void> {
    assertPublicKey('send packet', 'destination', destination)
    assertPacket('send packet', data)
    let link = this.#link
    let packet = data
    if (link === undefined) {
      packet = copyBytes(data)
      link = await this.#connected('send packet', this.#options.sendWaitMs, signal)
    }
    try {
      await abortable(link.derp.send(destination, packet, signal), signal, 'send packet')
    } catch (error) {
      if (this.state === 'closed') throw closedError('send packet')
      if (error instanceof DerpError && !signal?.aborted) this.#reconnector.lost(link, error)
      throw error
    }
  }

  /** The next message from any connection. Its bytes belong to the caller. */
  async recv(signal?: AbortSignal): Promise<ReceivedMessage> {
    return (await this.recvDetail(signal)).message
  }

  /** The next message and the number of its connection; connections that were never admitted do not count. */
  async recvDetail(signal?: AbortSignal): Promise<ReceivedDetail> {
    if (this.state === 'closed') throw closedError('receive')
    this.#reconnector.start()
    const taken = this.#queue.take(signal)
    if (this.#room !== undefined && this.#queue.hasRoom) {
      this.#room.resolve()
      this.#room = undefined
    }
    return taken
  }

  /** All messages until `close`, which makes it throw. Leaving the loop does not close the client. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage, void, void> {
    for (;;) yield await this.recv()
  }

  /** Sends a Ping and waits at most 5 s for its Pong; does not wait for a connection. */
  async ping(signal?: AbortSignal): Promise<void> {
    if (this.state === 'closed') throw closedError('ping relay')
    if (this.#link === undefined) throw this.#notConnected('ping relay: not connected')
    await pingOver(this.#link, this.#options.clock, signal)
  }

  /** Sets whether this region is the client's home, and tells the relay, now and on every later connection. */
  async notePreferred(preferred: boolean): Promise<void> {
    if (this.state === 'closed') throw closedError('note preferred')
    await this.#reconnector.notePreferred(preferred)
  }

  /** The key of the connected relay, if any. */
  serverPublicKey(): NodePublicKey | undefined {
    return this.#link?.derp.serverKey
  }

  /**
   * Replaces the targets, best first. A connection to one that remains (option `isSame`) continues; any other is closed
   * and a new target connected to.
   */
  replaceTargets(targets: readonly T[]): void {
    if (this.state === 'closed') throw closedError('replace targets')
    this.#reconnector.replaceTargets(targets)
  }

  /** The connection once there is one, or a rejection after `waitMs`. */
  async #connected(action: string, waitMs: number, signal: AbortSignal | undefined): Promise<Link> {
    this.#reconnector.start()
    if (this.state === 'closed') throw closedError(action)
    if (this.#link !== undefined) return this.#link
    const waiter = Promise.withResolvers<Link>()
    this.#waiters.add(waiter)
    const tooLate = () => this.#notConnected(`${action}: not connected within ${waitMs} ms`)
    const limit = { clock: this.#options.clock, timeoutMs: waitMs, action, tooLate, signals: [signal] }
    try {
      return await withTimeLimit(limit, () => waiter.promise)
    } finally {
      this.#waiters.delete(waiter)
    }
  }

  #notConnected(message: string): DerpError {
    const cause = this.#reconnector.error
    return new DerpError('ERR_DERP_CLIENT_NOT_CONNECTED', message, cause && { cause })
  }

  #onLink(link: Link | undefined): void {
    this.#link = link
    if (link === undefined) return
    for (const { resolve } of this.#waiters) resolve(link)
  }

  #onMessage(message: ReceivedMessage, connectionGeneration: number): Promise<void> | undefined {
    const bytes = message.type === 'receivedPacket' ? message.data.length : 0
    this.#queue.push({ message, connectionGeneration }, bytes)
    if (!this.#queue.isFull) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }
}

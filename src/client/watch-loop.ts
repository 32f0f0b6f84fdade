/**
 * Follows which clients are connected to a relay, until stopped.
 *
 * Clauses: P-111 turns, P-215 loop and retry, P-216 a broken connection takes its peers along, P-217 the own relay.
 */

import type { NodePublicKey } from '../keys/public-key.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { type Log, silentLog } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import {
  type PeerGoneMessage,
  PeerGoneReason,
  type PeerPresentMessage,
  type ReceivedMessage,
} from '../protocol/messages.ts'
import { TurnBudget, type TurnLimits, type TurnShare, turnShareOf } from '../transport/turn-share.ts'

/** Messages and forgotten peers in one turn of the event loop: a relay may have a million clients. */
const TURN_LIMITS: TurnLimits = { pieces: 256, bytes: Number.POSITIVE_INFINITY }
/** Milliseconds from a failure to the next attempt (P-215). */
const RETRY_MS = 5_000
/** Minimum milliseconds between two log lines about the number of peers. */
const STATUS_MS = 10_000
/** Milliseconds without a new peer after which the initial flood is complete. */
const FLOOD_OVER_MS = 200
/** The same while no peer has been reported yet. */
const NO_PEERS_MS = 2_000

/** Options of watching who is connected to a relay. */
export interface WatchLoopOptions {
  /** The caller's own relay: the loop ends if the server has this key. */
  readonly ignoreServerKey?: NodePublicKey | undefined
  /** A connection of a peer is present; called once for each connection. */
  readonly add: (message: PeerPresentMessage) => void
  /** A peer's last connection is gone, or can no longer be tracked: reason `PeerGoneReason.MeshConnBroke`. */
  readonly remove: (message: PeerGoneMessage) => void
  /** Called for each failure to connect or receive, before the loop retries. Must not throw. */
  readonly onError?: ((error: DerpError) => void) | undefined
  /** Logs the number of peers from time to time; errors go to the client's own log. */
  readonly infoLog?: Log | undefined
  /** Ends the loop. */
  readonly signal?: AbortSignal | undefined
}

/** What the loop needs from a client. */
export interface WatchedClient {
  connect(signal?: AbortSignal): Promise<void>
  recvDetail(signal?: AbortSignal): Promise<{ message: ReceivedMessage; connectionGeneration: number }>
  serverPublicKey(): NodePublicKey | undefined
}

export interface WatchLoopPorts {
  readonly clock: Clock
  readonly log: Log
  /** Aborted when the client is closed. */
  readonly closed: AbortSignal
  /** Milliseconds from this failure to the next attempt; undefined for the usual ones. */
  readonly retryMs?: () => number | undefined
}

export class WatchLoop {
  readonly #client: WatchedClient
  readonly #ports: WatchLoopPorts
  readonly #options: WatchLoopOptions
  readonly #infoLog: Log
  /** By the hex form of their keys. */
  #present = new Map<string, NodePublicKey>()
  #generation = 0
  #hasLoggedConnected = false
  #statusAtMs: number
  #flood: Timer
  readonly #turns: TurnShare
  readonly #budget: TurnBudget

  constructor(client: WatchedClient, ports: WatchLoopPorts, options: WatchLoopOptions) {
    this.#client = client
    this.#ports = ports
    this.#options = options
    this.#infoLog = options.infoLog ?? silentLog
    this.#statusAtMs = ports.clock.now()
    this.#turns = turnShareOf(ports.clock)
    this.#budget = new TurnBudget(this.#turns, TURN_LIMITS)
    this.#flood = ports.clock.after(NO_PEERS_MS, () => this.#logConnected())
  }

  /** Resolves when the loop has ended: by its signal, by closing the client, or at a connection to itself. */
  async run(): Promise<void> {
    const { signal } = this.#options
    try {
      while (!this.#isOver()) {
        if (await this.#follow()) return
        if (!this.#isOver()) await sleep(this.#ports.clock, this.#retryMs, signal, this.#ports.closed)
      }
    } finally {
      this.#flood.cancel()
      await this.#forget()
    }
  }

  get #retryMs(): number {
    return this.#ports.retryMs?.() ?? RETRY_MS
  }

  #isOver(): boolean {
    return this.#options.signal?.aborted === true || this.#ports.closed.aborted
  }

  /** Follows until something fails; returns whether this is the relay to ignore. */
  async #follow(): Promise<boolean> {
    const { signal } = this.#options
    if (!(await this.#tried(this.#client.connect(signal).then(() => true)))) return false
    for (;;) {
      // A later connection may reach another relay behind the same name.
      if (this.#isIgnored()) return true
      const received = await this.#tried(this.#client.recvDetail(signal))
      if (received === undefined) return false
      if (received.connectionGeneration !== this.#generation) {
        this.#generation = received.connectionGeneration
        await this.#forget()
      }
      this.#onMessage(received.message)
      if (!this.#budget.charge(1, 0)) await this.#nextTurn()
    }
  }

  /** The result of `call`; undefined if it fails, after which no peer is known any more. */
  async #tried<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call
    } catch (error) {
      if (!(error instanceof DerpError)) throw error
      await this.#forget()
      if (!this.#isOver()) {
        const fields = { code: error.code, reason: error.message, retryMs: this.#retryMs }
        this.#ports.log.warn('watching connections failed', fields)
        this.#options.onError?.(error)
      }
      return undefined
    }
  }

  #isIgnored(): boolean {
    const { ignoreServerKey } = this.#options
    const serverKey = this.#client.serverPublicKey()
    if (ignoreServerKey === undefined || serverKey?.equals(ignoreServerKey) !== true) return false
    this.#ports.log.info('relay to watch is this relay: ignored', { server: serverKey.shortString() })
    return true
  }

  #onMessage(message: ReceivedMessage): void {
    if (message.type === 'peerPresent') {
      this.#options.add(message)
      this.#present.set(message.peer.toHex(), message.peer)
      if (!this.#hasLoggedConnected) this.#restartFlood()
    } else if (message.type === 'peerGone') {
      if (message.reason !== PeerGoneReason.Disconnected) {
        this.#ports.log.debug('peer not at relay', { peer: message.peer.shortString(), reason: message.reason })
      }
      this.#options.remove(message)
      this.#logConnected()
      this.#present.delete(message.peer.toHex())
    } else return
    this.#tellStatus()
  }

  #restartFlood(): void {
    this.#flood.cancel()
    this.#flood = this.#ports.clock.after(FLOOD_OVER_MS, () => this.#logConnected())
  }

  #logConnected(): void {
    if (this.#hasLoggedConnected) return
    this.#hasLoggedConnected = true
    this.#infoLog.info('watching connections', { peers: this.#present.size })
  }

  #tellStatus(): void {
    const nowMs = this.#ports.clock.now()
    if (nowMs - this.#statusAtMs <= STATUS_MS) return
    this.#statusAtMs = nowMs
    this.#infoLog.info('peers connected', { peers: this.#present.size })
  }

  /** Reports all peers as gone: nothing is known about them any more. */
  async #forget(): Promise<void> {
    const present = this.#present
    if (present.size === 0) return
    this.#present = new Map()
    this.#ports.log.info('connection lost, peers forgotten', { peers: present.size })
    for (const peer of present.values()) {
      this.#options.remove({ type: 'peerGone', peer, reason: PeerGoneReason.MeshConnBroke })
      if (!this.#budget.charge(1, 0)) await this.#nextTurn()
    }
  }

  async #nextTurn(): Promise<void> {
    await new Promise<void>(resolve => this.#turns.wait(resolve))
    this.#budget.renew()
  }
}

/**
 * Follows who is connected to a relay, for as long as it is wanted.
 *
 * Clauses: P-215 loop and retry, P-216 a broken connection takes its peers along, P-217 the own relay.
 */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
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

/** Milliseconds from a failure to the next attempt (P-215). */
const RETRY_MS = 5_000
/** Least milliseconds between two lines about the number of peers. */
const STATUS_MS = 10_000
/** Milliseconds without a new peer after which the relay has named all who were there. */
const FLOOD_OVER_MS = 200
/** The same while it has named nobody yet. */
const NOBODY_NAMED_MS = 2_000

/** Options of `Client.runWatchConnectionLoop`. */
export interface WatchLoopOptions {
  /** The caller's own relay: when it answers with this key the loop ends. */
  readonly ignoreServerKey?: NodePublicKey | undefined
  /** A connection of a peer is there; a peer with several is told several times. */
  readonly add: (message: PeerPresentMessage) => void
  /** A peer's last connection is gone, or can no longer be followed: reason `PeerGoneReason.MeshConnBroke`. */
  readonly remove: (message: PeerGoneMessage) => void
  /** Told of each failure to connect or receive, after which the loop tries again. Must not throw. */
  readonly onError?: ((error: DerpError) => void) | undefined
  /** Is told now and then how many peers there are; faults go to the client's own log. */
  readonly infoLog?: Log | undefined
  /** Ends the loop. */
  readonly signal?: AbortSignal | undefined
}

/** What the loop needs of a client. */
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
}

export class WatchLoop {
  readonly #client: WatchedClient
  readonly #ports: WatchLoopPorts
  readonly #options: WatchLoopOptions
  readonly #infoLog: Log
  #present = new KeyMap<true>()
  #generation = 0
  #toldConnected = false
  #statusAtMs: number
  #flood: Timer

  constructor(client: WatchedClient, ports: WatchLoopPorts, options: WatchLoopOptions) {
    this.#client = client
    this.#ports = ports
    this.#options = options
    this.#infoLog = options.infoLog ?? silentLog
    this.#statusAtMs = ports.clock.now()
    this.#flood = ports.clock.after(NOBODY_NAMED_MS, () => this.#tellConnected())
  }

  /** Resolves when the loop has ended: by its signal, by the close of the client, or at the own relay. */
  async run(): Promise<void> {
    const { signal } = this.#options
    try {
      while (!this.#isOver()) {
        if (await this.#follow()) return
        if (!this.#isOver()) await sleep(this.#ports.clock, RETRY_MS, signal, this.#ports.closed)
      }
    } finally {
      this.#flood.cancel()
      this.#forget()
    }
  }

  #isOver(): boolean {
    return this.#options.signal?.aborted === true || this.#ports.closed.aborted
  }

  /** Follows until something fails; reports whether this is the relay to be ignored. */
  async #follow(): Promise<boolean> {
    const { signal } = this.#options
    if (!(await this.#tried(this.#client.connect(signal).then(() => true)))) return false
    for (;;) {
      // A later connection may lead to another relay behind the same name.
      if (this.#isIgnored()) return true
      const received = await this.#tried(this.#client.recvDetail(signal))
      if (received === undefined) return false
      if (received.connectionGeneration !== this.#generation) {
        this.#generation = received.connectionGeneration
        this.#forget()
      }
      this.#onMessage(received.message)
    }
  }

  /** What `call` gives; undefined when it fails, after which nothing is known of any peer. */
  async #tried<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call
    } catch (error) {
      if (!(error instanceof DerpError)) throw error
      this.#forget()
      if (!this.#isOver()) {
        const fields = { code: error.code, reason: error.message, retryMs: RETRY_MS }
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
    this.#ports.log.info('relay to watch is this one: ignored', { server: serverKey.shortString() })
    return true
  }

  #onMessage(message: ReceivedMessage): void {
    if (message.type === 'peerPresent') {
      this.#options.add(message)
      this.#present.set(message.peer, true)
      if (!this.#toldConnected) this.#restartFlood()
    } else if (message.type === 'peerGone') {
      if (message.reason !== PeerGoneReason.Disconnected) {
        this.#ports.log.debug('peer not at relay', { peer: message.peer.shortString(), reason: message.reason })
      }
      this.#options.remove(message)
      this.#tellConnected()
      this.#present.delete(message.peer)
    } else return
    this.#tellStatus()
  }

  #restartFlood(): void {
    this.#flood.cancel()
    this.#flood = this.#ports.clock.after(FLOOD_OVER_MS, () => this.#tellConnected())
  }

  #tellConnected(): void {
    if (this.#toldConnected) return
    this.#toldConnected = true
    this.#infoLog.info('watching connections', { peers: this.#present.size })
  }

  #tellStatus(): void {
    const nowMs = this.#ports.clock.now()
    if (nowMs - this.#statusAtMs <= STATUS_MS) return
    this.#statusAtMs = nowMs
    this.#infoLog.info('peers connected', { peers: this.#present.size })
  }

  /** Reports everybody gone: nothing is known of them any more. */
  #forget(): void {
    const present = this.#present
    if (present.size === 0) return
    this.#present = new KeyMap()
    this.#ports.log.info('connection lost, peers forgotten', { peers: present.size })
    for (const [peer] of present) this.#options.remove({ type: 'peerGone', peer, reason: PeerGoneReason.MeshConnBroke })
  }
}

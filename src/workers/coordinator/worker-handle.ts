/** A worker, as the coordinator knows it. */

import { KeyMap } from '../../keys/key-map.ts'
import { NodePublicKey } from '../../keys/node-key.ts'
import type { AddressPort } from '../../lib/address-port.ts'
import type { ClientInfo } from '../../protocol/client-info.ts'
import type { Member } from '../../server/registry.ts'
import { Channel, type Post } from '../channel/channel.ts'
import type { CoordinatorQuestions, SessionMessage, ToCoordinator, ToWorker } from '../channel/messages.ts'
import type { Port } from '../channel/port.ts'
import { RpcClient } from '../channel/rpc.ts'

/** A session of a worker. */
export class RemoteMember implements Member {
  readonly handle: WorkerHandle
  /** Tells it from the worker's other sessions. */
  readonly id: number
  readonly key: NodePublicKey
  readonly remote: AddressPort | undefined
  readonly flags: number
  readonly info: ClientInfo
  readonly canMesh: boolean
  /** Bearer token that it came with; kept for when admission is asked again (P-040). */
  readonly token: string | undefined

  constructor(handle: WorkerHandle, message: SessionMessage) {
    this.handle = handle
    this.id = message.id
    this.key = NodePublicKey.fromBytes(message.key)
    this.remote = message.remote
    this.flags = message.flags
    this.info = message.info
    this.canMesh = message.canMesh
    this.token = message.token
  }

  get appName(): string | undefined {
    return this.info.appName
  }

  get isClosed(): boolean {
    return this.handle.members.get(this.id) !== this
  }

  /** Has its worker end it. */
  close(): void {
    // A worker that is gone has no connections.
    this.handle.asking.ask('close', this.id).catch(() => {})
  }
}

/** The coordinator's end of a worker's line. */
export type WorkerPort = Port<Post<ToWorker>, Post<ToCoordinator>>

/** Departures that are remembered before the worker is asked what it has heard. */
const DEPARTURES_BEFORE_ASKING = 1_000

export class WorkerHandle {
  /** Tells it from all others there have been. */
  readonly number: number
  readonly members: Map<number, RemoteMember> = new Map()
  readonly asking: RpcClient<CoordinatorQuestions>
  /** Sessions that there was no room for, until they have ended. */
  readonly refused: Set<number> = new Set()
  /** It is told everything. */
  isJoined = false
  readonly #channel: Channel<ToWorker, ToCoordinator>
  /** Keys that left, by the post that tells of it; in the order of the posts. */
  readonly #departed = new KeyMap<number>()

  constructor(number: number, port: WorkerPort) {
    this.number = number
    this.#channel = new Channel(port)
    this.asking = new RpcClient(asked => this.#channel.send(asked))
  }

  /** The worker has been told all, and has heard it. */
  get knowsAll(): boolean {
    return this.#channel.isHeard
  }

  open(handle: (message: ToCoordinator) => void): void {
    this.#channel.open(handle)
  }

  send(message: ToWorker, handed?: readonly object[]): void {
    this.#channel.send(message, handed)
  }

  /** Calls `fn` once the worker has handled all that it was told until now, or is gone. */
  whenHandled(fn: () => void): void {
    this.#channel.whenHandled(fn)
  }

  /** A key has left the region; the worker hears of it in the next post. */
  noteDeparture(key: NodePublicKey): void {
    this.#forgetHeard()
    // It must be the last again.
    this.#departed.delete(key)
    this.#departed.set(key, this.#channel.nextPost)
    if (this.#departed.size % DEPARTURES_BEFORE_ASKING === 0) this.#channel.whenHandled(() => this.#forgetHeard())
  }

  /** Whether the key left without the worker's having known when it had handled so many posts. */
  hasMissedDeparture(key: NodePublicKey, handled: number): boolean {
    return (this.#departed.get(key.bytes) ?? 0) > handled
  }

  /** The worker is gone. */
  close(): void {
    this.isJoined = false
    this.asking.close()
    this.#channel.close()
  }

  #forgetHeard(): void {
    for (const [key, post] of this.#departed) {
      if (post > this.#channel.heard) return
      this.#departed.delete(key)
    }
  }
}

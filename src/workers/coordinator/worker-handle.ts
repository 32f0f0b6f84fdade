/** A worker, as the coordinator sees it. */

import { KeyMap } from '../../keys/key-map.ts'
import { NodePublicKey } from '../../keys/node-key.ts'
import type { AddressPort } from '../../lib/address-port.ts'
import type { RelayCounters } from '../../metrics/counters.ts'
import type { ClientInfo } from '../../protocol/client-info.ts'
import type { Member } from '../../server/registry.ts'
import { Channel, type Post } from '../channel/channel.ts'
import type { CoordinatorQuestions, SessionMessage, ToCoordinator, ToWorker } from '../channel/messages.ts'
import type { Port } from '../channel/port.ts'
import { RpcClient } from '../channel/rpc.ts'
import { createLedger } from '../link/packet-ledger.ts'

/** A session of a worker. */
export class RemoteMember implements Member {
  readonly handle: WorkerHandle
  /** Unique among the worker's sessions. */
  readonly id: number
  readonly key: NodePublicKey
  readonly remote: AddressPort | undefined
  readonly flags: number
  readonly info: ClientInfo
  readonly canMesh: boolean
  /** Its bearer token, kept for re-checking admission (P-040). */
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

  /** Makes its worker close it. */
  close(): void {
    // A worker that is gone has no connections.
    this.handle.asking.ask('close', this.id).catch(() => {})
  }
}

/** The coordinator's end of the channel to a worker. */
export type WorkerPort = Port<Post<ToWorker>, Post<ToCoordinator>>

/** Departed keys remembered before asking the worker what it has handled. */
const DEPARTURES_BEFORE_ASKING = 1_000

export class WorkerHandle {
  /** Unique among all workers ever started. */
  readonly number: number
  readonly members: Map<number, RemoteMember> = new Map()
  readonly asking: RpcClient<CoordinatorQuestions>
  /** Sessions refused for lack of room, until they have ended. */
  readonly refused: Set<number> = new Set()
  /** What it has counted, for after its end. */
  readonly ledger: SharedArrayBuffer = createLedger()
  /** Ends its link for packets to clients of other relays. */
  endReceiving: ((counters: RelayCounters) => void) | undefined
  /** It receives all changes. */
  isJoined = false
  readonly #channel: Channel<ToWorker, ToCoordinator>
  /** Departed keys with the post that reports them, in post order. */
  readonly #departed = new KeyMap<number>()

  constructor(number: number, port: WorkerPort) {
    this.number = number
    this.#channel = new Channel(port)
    this.asking = new RpcClient(asked => this.#channel.send(asked))
  }

  /** The worker has received and handled the full state. */
  get knowsAll(): boolean {
    return this.#channel.isHeard
  }

  open(handle: (message: ToCoordinator) => void): void {
    this.#channel.open(handle)
  }

  send(message: ToWorker, handed?: readonly object[]): void {
    this.#channel.send(message, handed)
  }

  /** Calls `fn` once the worker has handled everything sent so far, or is gone. */
  whenHandled(fn: () => void): void {
    this.#channel.whenHandled(fn)
  }

  /** A key has left the region; the next post tells the worker. */
  noteDeparture(key: NodePublicKey): void {
    this.#forgetHeard()
    // Reinsert, so that it is last.
    this.#departed.delete(key)
    this.#departed.set(key, this.#channel.nextPost)
    if (this.#departed.size % DEPARTURES_BEFORE_ASKING === 0) this.#channel.whenHandled(() => this.#forgetHeard())
  }

  /** Whether the key left without the worker knowing, given how many posts it had handled. */
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

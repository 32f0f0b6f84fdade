/** An in-memory {@link Bus}: in order for each pair, with delays, losses and rejected messages. */

import type { Bus, BusHandler } from '../backplane/bus.ts'
import type { Broadcast } from '../backplane/message.ts'
import type { RelayId } from '../backplane/stamp.ts'
import type { Network } from './network.ts'

/** Changes or drops a message, to test the effects of a broken rule. */
export type Tamper = (bytes: Uint8Array, from: RelayId, to: RelayId | undefined) => Uint8Array | undefined

/** The broker that all relays connect to. */
export class SimBroker {
  readonly network: Network
  readonly #buses = new Set<SimBus>()
  tamper: Tamper = bytes => bytes
  /** Called with each message that a relay sends. */
  onSent: (bytes: Uint8Array, to: RelayId | undefined) => void = () => {}
  /** Number of delivered messages. */
  delivered = 0

  constructor(network: Network) {
    this.network = network
  }

  connect(id: RelayId): SimBus {
    const bus = new SimBus(id, this)
    this.#buses.add(bus)
    return bus
  }

  disconnect(bus: SimBus): void {
    this.#buses.delete(bus)
  }

  /** Delivers a message to all others, or to one. */
  carry(from: SimBus, bytes: Uint8Array, to: RelayId | undefined): void {
    this.onSent(bytes, to)
    const tampered = this.tamper(bytes, from.id, to)
    if (tampered === undefined) return
    for (const bus of this.#buses) {
      if (bus === from || (to !== undefined && bus.id !== to) || !this.network.canTell(from.id, bus.id)) continue
      this.network.arrive(`bus ${from.id} ${bus.id}`, () => {
        this.delivered++
        bus.receive(from.id, tampered, to !== undefined)
      })
    }
  }
}

export class SimBus implements Bus {
  readonly id: RelayId
  readonly #broker: SimBroker
  #handler: BusHandler | undefined
  #isConnected = true
  #isClosed = false
  /** Refuses what is sent, as if too much were not acknowledged. */
  isFull = false

  constructor(id: RelayId, broker: SimBroker) {
    this.id = id
    this.#broker = broker
  }

  get isUp(): boolean {
    return this.#isConnected && !this.#isClosed && !this.isFull
  }

  open(handler: BusHandler): void {
    this.#handler = handler
    if (this.#isConnected) handler.onUp()
  }

  /** Loses the connection; what is under way to the relay is lost. */
  disconnect(): void {
    if (!this.#isConnected || this.#isClosed) return
    this.#isConnected = false
    this.#handler?.onDown('cut')
  }

  reconnect(): void {
    if (this.#isConnected || this.#isClosed) return
    this.#isConnected = true
    this.#handler?.onUp()
  }

  broadcast(_kind: Broadcast, bytes: Uint8Array): boolean {
    return this.#send(bytes, undefined)
  }

  send(to: RelayId, bytes: Uint8Array): boolean {
    return this.#send(bytes, to)
  }

  receive(from: RelayId, bytes: Uint8Array, isDirect: boolean): void {
    if (this.#isConnected && !this.#isClosed) this.#handler?.onMessage(from, bytes, isDirect)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#broker.disconnect(this)
  }

  #send(bytes: Uint8Array, to: RelayId | undefined): boolean {
    if (!this.isUp) return false
    this.#broker.carry(this, bytes, to)
    return true
  }
}

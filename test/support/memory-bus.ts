/** Messages between the relays of a region in one process: in order, after the turn of the event loop. */

import type { Bus, BusHandler } from '../../src/backplane/bus.ts'
import type { RelayId } from '../../src/backplane/stamp.ts'

export class MemoryBroker {
  readonly #buses = new Set<MemoryBus>()

  connect(id: RelayId): MemoryBus {
    const bus = new MemoryBus(id, this)
    this.#buses.add(bus)
    return bus
  }

  disconnect(bus: MemoryBus): void {
    this.#buses.delete(bus)
  }

  carry(from: MemoryBus, bytes: Uint8Array, to: RelayId | undefined): void {
    setImmediate(() => {
      for (const bus of this.#buses) {
        if (bus !== from && (to === undefined || bus.id === to)) bus.receive(from.id, bytes, to !== undefined)
      }
    })
  }
}

export class MemoryBus implements Bus {
  readonly id: RelayId
  readonly #broker: MemoryBroker
  #handler: BusHandler | undefined
  #isUp = true

  constructor(id: RelayId, broker: MemoryBroker) {
    this.id = id
    this.#broker = broker
  }

  get isUp(): boolean {
    return this.#isUp
  }

  open(handler: BusHandler): void {
    this.#handler = handler
    handler.onUp()
  }

  broadcast(_kind: string, bytes: Uint8Array): boolean {
    if (this.#isUp) this.#broker.carry(this, bytes, undefined)
    return this.#isUp
  }

  send(to: RelayId, bytes: Uint8Array): boolean {
    if (this.#isUp) this.#broker.carry(this, bytes, to)
    return this.#isUp
  }

  receive(from: RelayId, bytes: Uint8Array, isDirect: boolean): void {
    if (this.#isUp) this.#handler?.onMessage(from, bytes, isDirect)
  }

  async close(): Promise<void> {
    this.#isUp = false
    this.#broker.disconnect(this)
  }
}

/**
 * Collects the garbage of logins once nobody speaks, and gives its memory back.
 *
 * A TLS login leaves some 9 KB that have outlived the cheap collections; V8 looks at them only when it needs room, so a
 * relay with clients that say little would hold them for good. Everything stands still meanwhile, for some 60 µs a
 * client: hence only in silence, and with few clients.
 */

import { Profiler } from '../http/debug/profiler.ts'
import { type Clock, systemClock, type Timer } from '../lib/clock.ts'
import type { RelayCounters } from '../metrics/counters.ts'

/** Milliseconds between two looks, and of the silence that is waited for. */
export const LOOK_MS = 2_000
/** Logins since the last time that make it worth while. */
export const WORTH_LOGINS = 100
/** Packets between two looks that still count as silence. */
export const SILENCE_PACKETS = 10
/** Clients beyond which it would take too long: half a second and more. */
export const MOST_CLIENTS = 10_000

/** What the relay has counted. */
export interface IdleSnapshot {
  readonly logins: number
  readonly packets: number
  readonly clients: number
}

export interface IdleCollectionPorts {
  readonly clock: Clock
  readonly numbers: () => IdleSnapshot
  readonly collect: () => Promise<void>
}

export class IdleCollection {
  readonly #ports: IdleCollectionPorts
  #timer: Timer | undefined
  #before: IdleSnapshot = { logins: 0, packets: 0, clients: 0 }
  #loginsCollected = 0

  constructor(ports: IdleCollectionPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#timer = this.#ports.clock.after(LOOK_MS, () => {
      this.start()
      this.#look()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #look(): void {
    const { numbers, collect } = this.#ports
    const now = numbers()
    const isSilent = now.logins === this.#before.logins && now.packets - this.#before.packets <= SILENCE_PACKETS
    this.#before = now
    if (!isSilent || now.clients > MOST_CLIENTS || now.logins - this.#loginsCollected < WORTH_LOGINS) return
    this.#loginsCollected = now.logins
    void collect()
  }
}

/** For the relay of this process that has these counters. */
export function idleCollection(counters: RelayCounters): IdleCollection {
  const profiler = new Profiler()
  return new IdleCollection({
    clock: systemClock,
    numbers: () => ({
      logins: counters.logins,
      packets: counters.packetsSent,
      clients: counters.currentConnections,
    }),
    collect: () => profiler.collectGarbage(),
  })
}

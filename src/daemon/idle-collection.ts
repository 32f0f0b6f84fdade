/**
 * Collects garbage of logins while the relay is idle, and returns the memory.
 *
 * A TLS login leaves some 9 KB in the old generation. V8 collects that only when it needs room, so a relay with quiet
 * clients would keep it. A full collection pauses the relay for some 60 µs per client: hence only when idle and with
 * few clients.
 */

import { Profiler } from '../http/debug/profiler.ts'
import { type Clock, systemClock, type Timer } from '../lib/clock.ts'
import type { RelayCounters } from '../metrics/counters.ts'

/** Milliseconds between polls, and the shortest idle time. */
export const POLL_MS = 2_000
/** Logins since the last collection that make another worthwhile. */
export const MIN_LOGINS = 100
/** Packets per poll that still count as idle. */
export const IDLE_PACKETS = 10
/** Clients beyond which the pause would exceed half a second. */
export const MAX_CLIENTS = 10_000

export interface IdleSnapshot {
  readonly logins: number
  readonly packets: number
  readonly clients: number
}

export interface IdleCollectionPorts {
  readonly clock: Clock
  readonly snapshot: () => IdleSnapshot
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
    this.#timer = this.#ports.clock.after(POLL_MS, () => {
      this.start()
      this.#poll()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #poll(): void {
    const { snapshot, collect } = this.#ports
    const now = snapshot()
    const isIdle = now.logins === this.#before.logins && now.packets - this.#before.packets <= IDLE_PACKETS
    this.#before = now
    if (!isIdle || now.clients > MAX_CLIENTS || now.logins - this.#loginsCollected < MIN_LOGINS) return
    this.#loginsCollected = now.logins
    void collect()
  }
}

/** The idle collection for the relay of this process, which owns `counters`. */
export function idleCollection(counters: RelayCounters): IdleCollection {
  const profiler = new Profiler()
  return new IdleCollection({
    clock: systemClock,
    snapshot: () => ({
      logins: counters.logins,
      packets: counters.packetsSent,
      clients: counters.currentConnections,
    }),
    collect: () => profiler.collectGarbage(),
  })
}

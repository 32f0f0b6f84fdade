/** Detects changes of the host's network, as far as Node can: polls its addresses. */

import { networkInterfaces } from 'node:os'
import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'
import type { NetworkChange, NetworkMonitor } from '../ports.ts'

/** Options of {@link createNetworkMonitor}. */
export interface NetworkMonitorOptions {
  /** Milliseconds between polls; there are none without a listener. Default {@link DEFAULT_INTERVAL_MS}. */
  readonly intervalMs?: number | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock | undefined
  /** The host's addresses. Default: those of all interfaces. */
  readonly readAddresses?: (() => readonly string[]) | undefined
}

const DEFAULT_INTERVAL_MS = 2_000

/**
 * Creates a network monitor. It does not keep the process alive.
 *
 * @example
 * ```ts
 * const client = new ResilientClient({
 *   targets: [url],
 *   createClient: target => new Client(privateKey, target),
 *   netMon: createNetworkMonitor(),
 * })
 * ```
 */
export function createNetworkMonitor(options: NetworkMonitorOptions = {}): NetworkMonitor {
  const { intervalMs = DEFAULT_INTERVAL_MS, clock = systemClock, readAddresses = hostAddresses } = options
  const listeners = new Set<(change: NetworkChange) => void>()
  let known = ''
  let timer: Timer | undefined

  function look(): void {
    timer = clock.after(intervalMs, look)
    const addresses = readAddresses()
    const text = textOf(addresses)
    if (text === known) return
    known = text
    for (const listener of listeners) listener({ addresses })
  }

  return {
    subscribe(listener) {
      if (listeners.size === 0) {
        known = textOf(readAddresses())
        timer = clock.after(intervalMs, look)
      }
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) timer?.cancel()
      }
    },
  }
}

const textOf = (addresses: readonly string[]): string => [...addresses].sort().join()

function hostAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap(found => found?.map(({ address }) => address) ?? [])
}

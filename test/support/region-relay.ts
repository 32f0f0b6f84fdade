/** Our relays in a region over NATS, in development mode on loopback. */

import { setTimeout as delay } from 'node:timers/promises'
import type { PacketCounts } from './packet-balance.ts'
import { PATIENCE_MS } from './patience.ts'
import { type RunningRelay, startOurRelay } from './relays.ts'

/** Within which a region heals once its parts can reach each other. */
const HEAL_MS = 5_000

/** The mesh key of all of them. */
export const REGION_MESH_KEY = '5a'.repeat(32)

/** A relay of the region. */
export interface RegionRelay extends RunningRelay {
  /** The value of one of its metrics, by its name in `/debug/vars` below `derphttp`. */
  metric(name: string): Promise<number>
  /** The values of a metric with a label. */
  metrics(name: string): Promise<Readonly<Record<string, number>>>
  /** The response of `/readyz`. */
  readyz(): Promise<string>
  packetCounts(): Promise<PacketCounts>
}

/** Starts a relay of region "test"; it has joined unless NATS cannot be used. */
export async function startRegionRelay(
  nats: string,
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<RegionRelay> {
  const env = { TAILSCALE_DERPER_MESH_KEY: REGION_MESH_KEY, ...more }
  const relay = await startOurRelay(['-region', 'test', '-nats', nats, '-drain-time', '0s', ...args], env)
  return relayAt(relay)
}

/** @param metricsPort of its metrics listener, if `/debug/` is not open to this machine. */
export function relayAt(relay: RunningRelay, metricsPort?: number): RegionRelay {
  const base = new URL(relay.url)
  if (metricsPort !== undefined) base.port = String(metricsPort)
  const vars = async () => {
    const response = await fetch(new URL('/debug/vars', base))
    return (await response.json()) as { readonly derp: Values; readonly derphttp: Values }
  }
  const own = async () => (await vars()).derphttp
  return {
    ...relay,
    metric: async name => Number((await own())[name]),
    metrics: async name => ({ ...((await own())[name] as Record<string, number>) }),
    packetCounts: async () => {
      const { derp, derphttp } = await vars()
      return {
        received: Number(derp['packets_received']),
        sent: Number(derp['packets_sent']),
        forwardedIn: Number(derp['packets_forwarded_in']),
        forwardedOut: Number(derp['packets_forwarded_out']),
        dropped: total(derphttp['counter_packets_dropped']),
        droppedOnLinks: total(derphttp['counter_region_packets_dropped']),
      }
    },
    readyz: async () => (await fetch(new URL('/readyz', base))).text(),
  }
}

/** Resolves once that has succeeded. @throws Error if it took longer than a region may take to heal. */
export async function heals(succeed: () => Promise<unknown>): Promise<void> {
  const beganMs = performance.now()
  await succeed()
  const tookMs = performance.now() - beganMs
  if (tookMs > HEAL_MS) throw new Error(`heal: it took ${Math.round(tookMs)} ms, more than ${HEAL_MS}`)
}

/** Metrics by name; labelled ones have values by label. */
type Values = Readonly<Record<string, unknown>>

function total(values: unknown): number {
  return Object.values(values as Record<string, number>).reduce((sum, value) => sum + value, 0)
}

/** Resolves once each relay knows all others. */
export async function untilRelaysMet(relays: readonly RegionRelay[]): Promise<void> {
  await Promise.all(relays.map(relay => untilMetric(relay, 'gauge_region_relays', relays.length - 1)))
}

/** Resolves once a metric has that value. */
export async function untilMetric(relay: RegionRelay, name: string, value: number): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  for (;;) {
    const now = await relay.metric(name)
    if (now === value) return
    if (performance.now() > giveUpAtMs) throw new Error(`wait until ${name} is ${value}: still ${now}`)
    await delay(20)
  }
}

/** Resolves to the response of `/readyz` once it matches. */
export async function untilReadyz(relay: RegionRelay, pattern: RegExp): Promise<string> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  for (;;) {
    const now = await relay.readyz()
    if (pattern.test(now)) return now
    if (performance.now() > giveUpAtMs) throw new Error(`wait until readyz matches ${pattern}: still ${now}`)
    await delay(20)
  }
}

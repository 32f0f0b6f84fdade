/** Probes one relay once, independently of the map, like a multi-target exporter. */

import type { DERPNode } from '../derpmap/types.ts'
import type { Slots } from '../lib/slots.ts'
import { metricHeader, metricSample } from '../status/varz-prometheus.ts'
import { probeMetrics } from './exposition.ts'
import type { MonitorPorts } from './ports.ts'
import { Probe } from './probe.ts'
import { probeClassOf } from './probe-classes.ts'
import { formatLatency } from './probe-info.ts'
import { type WantedProbe, wantedProbes } from './probe-plan.ts'

export interface TargetProbe {
  /** With the addresses whose STUN is probed. */
  readonly node: DERPNode
  /** Milliseconds for each of its probes. */
  readonly timeoutMs: number
  readonly logins?: Slots | undefined
}

/** Region code in the names of these probes. */
const REGION_CODE = 'target'
/** Share of its interval that a probe may use. */
const TIMEOUT_SHARE = 0.8

/** Runs TLS, STUN and a packet through the relay; gives the metrics, and lines of what came of it. */
export async function probeTarget(
  { node, timeoutMs, logins }: TargetProbe,
  ports: MonitorPorts,
  signal: AbortSignal,
): Promise<{ readonly metrics: string; readonly lines: readonly string[] }> {
  const { clock } = ports
  const startMs = clock.now()
  const probes = wantedOf(node, timeoutMs / TIMEOUT_SHARE).map(({ name, intervalMs, labels, ...wanted }) => {
    const making = { ports, kinds: {}, node: () => node, logins }
    const probeClass = probeClassOf({ name, intervalMs, labels, ...wanted }, making)
    return new Probe({ name, intervalMs, labels, probeClass }, ports)
  })
  const stop = () => void Promise.all(probes.map(probe => probe.stop()))
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.all(probes.map(probe => probe.run()))
  } finally {
    signal.removeEventListener('abort', stop)
  }
  const isGood = probes.every(({ info }) => info.error === undefined && info.endedAtMs !== undefined)
  const seconds = (clock.now() - startMs) / 1_000
  return {
    metrics: `${successMetrics(isGood, seconds)}${probeMetrics(probes)}`,
    lines: probes.map(({ info: { name, error, latencyMs = 0 } }) =>
      error === undefined ? `good: ${name}: ${formatLatency(latencyMs)}` : `bad: ${name}: ${error}`,
    ),
  }
}

function wantedOf(node: DERPNode, intervalMs: number): WantedProbe[] {
  const region = { RegionID: node.RegionID, RegionCode: REGION_CODE, RegionName: node.HostName, Nodes: [node] }
  const kinds = { tlsIntervalMs: intervalMs, stunIntervalMs: intervalMs, meshIntervalMs: intervalMs }
  return wantedProbes({ Regions: { [node.RegionID]: region } }, kinds)
}

/** Under the names that exporters for many targets have in common. */
function successMetrics(isGood: boolean, seconds: number): string {
  const lines = [
    ...metricHeader('probe_success', 'gauge', 'Whether all probes of the target succeeded'),
    metricSample('probe_success', isGood ? 1 : 0),
    ...metricHeader('probe_duration_seconds', 'gauge', 'How long the probes took together'),
    metricSample('probe_duration_seconds', seconds),
  ]
  return lines.map(line => `${line}\n`).join('')
}

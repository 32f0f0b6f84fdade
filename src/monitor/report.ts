/** What one round of probes found, for programs: as JSON with a published schema. Pure. */

import type { Labels } from './probe-class.ts'
import type { ProbeInfo } from './probe-info.ts'

/** A probe that has run. */
export interface ReportedProbe {
  readonly name: string
  readonly class: string
  readonly labels: Labels
  readonly result: 'good' | 'bad'
  /** Milliseconds; of good ones. */
  readonly latencyMs?: number
  /** Of bad ones. */
  readonly error?: string
  readonly notes: readonly string[]
}

export interface ProbeReport {
  readonly version: 1
  /** RFC 3339. */
  readonly startedAt: string
  readonly endedAt: string
  /** Where the DERP map came from. */
  readonly map: string
  readonly good: number
  readonly bad: number
  readonly probes: readonly ReportedProbe[]
}

export interface Round {
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly map: string
  /** Probes that have not ended are left out. */
  readonly infos: readonly ProbeInfo[]
}

export function reportOf({ startedAtMs, endedAtMs, map, infos }: Round): ProbeReport {
  const probes = infos.filter(info => info.endedAtMs !== undefined).map(reported)
  const good = probes.filter(({ result }) => result === 'good').length
  return {
    version: 1,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: new Date(endedAtMs).toISOString(),
    map,
    good,
    bad: probes.length - good,
    probes,
  }
}

function reported({ name, class: kind, labels, error, latencyMs, notes }: ProbeInfo): ReportedProbe {
  return {
    name,
    class: kind,
    labels,
    result: error === undefined ? 'good' : 'bad',
    ...(latencyMs !== undefined && { latencyMs: Math.round(latencyMs * 1_000) / 1_000 }),
    ...(error !== undefined && { error }),
    notes,
  }
}

const TIME = { type: 'string', format: 'date-time' }
const COUNT = { type: 'integer', minimum: 0 }

/** The JSON Schema of {@link ProbeReport}, draft 2020-12. */
export function reportSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Report of derpprobe -once -format json',
    type: 'object',
    properties: {
      version: { const: 1 },
      startedAt: TIME,
      endedAt: TIME,
      map: { description: 'Where the DERP map came from', type: 'string' },
      good: { description: 'Number of probes that succeeded', ...COUNT },
      bad: { description: 'Number of probes that failed', ...COUNT },
      probes: { type: 'array', items: { $ref: '#/$defs/probe' } },
    },
    required: ['version', 'startedAt', 'endedAt', 'map', 'good', 'bad', 'probes'],
    additionalProperties: false,
    $defs: {
      probe: {
        type: 'object',
        properties: {
          name: { description: 'Such as derp/REGION/NODE/tls or derp/REGION/FROM/TO/mesh', type: 'string' },
          class: { enum: ['derp_map', 'tls', 'derp_udp', 'derp_mesh', 'derp_bw', 'derp_qd'] },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
          result: { enum: ['good', 'bad'] },
          latencyMs: { description: 'Milliseconds; of good probes', type: 'number', minimum: 0 },
          error: { description: 'Of bad probes', type: 'string' },
          notes: { description: 'Remarks that do not decide the result', type: 'array', items: { type: 'string' } },
        },
        required: ['name', 'class', 'labels', 'result', 'notes'],
        additionalProperties: false,
      },
    },
  }
}

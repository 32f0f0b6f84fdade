/** Keeps the probes of a prober in step with a DERP map, which it fetches by a probe of its own. */

import type { DERPMap, DERPNode } from '../derpmap/types.ts'
import { DerpError } from '../lib/derp-error.ts'
import { formatDuration } from '../lib/duration.ts'
import type { Slots } from '../lib/slots.ts'
import { MapUnreachableError, type MonitorPorts } from './ports.ts'
import type { ProbeClass } from './probe-class.ts'
import { type ProbeMaking, probeClassOf } from './probe-classes.ts'
import { type ProbeKinds, probedNodes, probedRegions, wantedProbes } from './probe-plan.ts'
import type { Prober } from './prober.ts'

export const MAP_PROBE = 'derpmap-probe'
/** Milliseconds for which an earlier map is used while its source is unreachable. */
const MAP_MEMORY_MS = 10 * 60_000

/** Otherwise a prober without probes would report success. */
function missingRegion(map: DERPMap, wanted: string | undefined): string | undefined {
  if (wanted === undefined || probedRegions(map, wanted).length > 0) return undefined
  const present = probedRegions(map, undefined).map(({ RegionCode, RegionID }) => `${RegionCode} (${RegionID})`)
  return `find region ${wanted}: the DERP map has only ${present.join(', ') || 'none'}`
}

export interface DerpProberOptions extends ProbeKinds {
  readonly mapIntervalMs: number
  /** See {@link ProbeMaking.logins}. */
  readonly logins?: Slots | undefined
}

export class DerpProber {
  readonly #prober: Prober
  readonly #ports: MonitorPorts
  readonly #options: DerpProberOptions
  /** What each running probe was made from, as text. */
  readonly #running = new Map<string, string>()
  #map: DERPMap | undefined
  #mapAtMs = 0
  #nodes: ReadonlyMap<string, DERPNode> = new Map()

  constructor(prober: Prober, ports: MonitorPorts, options: DerpProberOptions) {
    this.#prober = prober
    this.#ports = ports
    this.#options = options
  }

  /** The latest map; undefined before there is one. */
  get map(): DERPMap | undefined {
    return this.#map
  }

  /** Starts with the map probe, which adds the others. */
  start(): void {
    const probe: ProbeClass['probe'] = async ({ signal, step }) => {
      step('fetch the DERP map')
      const { notes, problem } = await this.#updateMap(signal)
      await this.#updateProbes()
      // The other nodes are still probed.
      if (problem !== undefined) throw new DerpError('ERR_DERP_MAP_INVALID', problem)
      return notes
    }
    const { mapIntervalMs: intervalMs } = this.#options
    this.#prober.run({ name: MAP_PROBE, intervalMs, labels: {}, probeClass: { class: 'derp_map', probe } })
  }

  async #updateMap(
    signal: AbortSignal,
  ): Promise<{ readonly notes: readonly string[]; readonly problem?: string | undefined }> {
    const { clock, fetchMap } = this.#ports
    try {
      const { map, problem } = await fetchMap(signal)
      this.#nodes = probedNodes(map, this.#options.region)
      this.#map = map
      this.#mapAtMs = clock.now()
      return { notes: [], problem: problem ?? missingRegion(map, this.#options.region) }
    } catch (error) {
      const ageMs = clock.now() - this.#mapAtMs
      if (!(error instanceof MapUnreachableError) || this.#map === undefined || ageMs >= MAP_MEMORY_MS) throw error
      const age = formatDuration(Math.round(ageMs / 1_000) * 1_000)
      return { notes: [`the map of ${age} ago is used: ${error.message}`] }
    }
  }

  async #updateProbes(): Promise<void> {
    const { logins } = this.#options
    const making: ProbeMaking = {
      ports: this.#ports,
      kinds: this.#options,
      node: (name: string) => this.#node(name),
      logins,
    }
    const wanted = new Map(wantedProbes(this.#map ?? {}, this.#options).map(probe => [probe.name, probe]))
    for (const [name, text] of this.#running) {
      const next = wanted.get(name)
      if (next !== undefined && JSON.stringify(next) === text) continue
      this.#running.delete(name)
      await this.#prober.remove(name)
      this.#ports.log.info('probe removed', { probe: name })
    }
    for (const [name, probe] of wanted) {
      if (this.#running.has(name)) continue
      this.#running.set(name, JSON.stringify(probe))
      const { intervalMs, labels } = probe
      this.#prober.run({ name, intervalMs, labels, probeClass: probeClassOf(probe, making) })
      this.#ports.log.info('probe added', { probe: name, intervalMs })
    }
  }

  #node(name: string): DERPNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`find node ${name}: the DERP map no longer has it`)
    return node
  }
}

/**
 * A resilient client of one region of a DERP map, which may be replaced at run time.
 *
 * Clauses: P-225.
 */

import { connectsElsewhere } from '../../derpmap/diff.ts'
import { nodesByKey } from '../../derpmap/regions.ts'
import type { DERPMap, DERPNode, DERPRegion } from '../../derpmap/types.ts'
import type { Client } from '../client.ts'
import { ResilientClient } from './resilient-client.ts'
import type { ResilientClientOptions } from './resilient-options.ts'

/** Options of {@link ResilientRegionClient}. */
export interface ResilientRegionOptions
  extends Omit<ResilientClientOptions<DERPNode>, 'targets' | 'createClient' | 'nameOf' | 'isSame'> {
  /** The map that has the region. */
  readonly map: DERPMap
  /** The region may be missing from the map. */
  readonly regionId: number
  /**
   * Creates a client that connects to the region returned by `getRegion` at that time: the region reduced to a single
   * dialable node, which is told the ideal one. Undefined if its node is gone. In pages it creates a `RegionClient`.
   */
  readonly createClient: (getRegion: () => DERPRegion | undefined) => Client
}

/**
 * Connects to the first reachable node of a region of a DERP map.
 *
 * @example
 * ```ts
 * const client = new ResilientRegionClient({
 *   map,
 *   regionId: 900,
 *   createClient: getRegion => Client.forRegion(privateKey, getRegion),
 * })
 * for await (const message of client) console.log(message.type)
 * ```
 */
export class ResilientRegionClient extends ResilientClient<DERPNode> {
  readonly #nodes: RegionNodes

  /** Opens nothing yet. @throws DerpError for an option that is out of bounds. */
  constructor(options: ResilientRegionOptions) {
    const nodes = new RegionNodes(options.map, options.regionId)
    super({
      ...options,
      targets: nodes.targets(),
      createClient: node => options.createClient(nodes.regionSource(node)),
      nameOf: node => node.Name || node.HostName,
      isSame: (before, now) => nodes.isSame(before, now),
    })
    this.#nodes = nodes
  }

  /** Replaces the map. Reconnects only if the entry of the connected node has changed. */
  replaceMap(map: DERPMap): void {
    this.#nodes.replace(map)
    this.replaceTargets(this.#nodes.targets())
  }
}

/** The nodes of one region, told apart by name and, where names are missing or not unique, by position. */
class RegionNodes {
  readonly #regionId: number
  #region: DERPRegion | undefined
  /** In the order of the map. The values are copies, so that each is found in {@link #keys} by itself. */
  #nodes: ReadonlyMap<string, DERPNode> = new Map()
  readonly #keys = new WeakMap<DERPNode, string>()

  constructor(map: DERPMap, regionId: number) {
    this.#regionId = regionId
    this.replace(map)
  }

  replace(map: DERPMap): void {
    this.#region = map.Regions?.[this.#regionId]
    this.#nodes = nodesByKey((this.#region?.Nodes ?? []).map(node => ({ ...node })))
    for (const [key, node] of this.#nodes) this.#keys.set(node, key)
  }

  targets(): readonly DERPNode[] {
    return [...this.#nodes.values()].filter(({ STUNOnly = false }) => !STUNOnly)
  }

  isSame(before: DERPNode, now: DERPNode): boolean {
    return this.#keys.get(before) === this.#keys.get(now) && !connectsElsewhere(before, now)
  }

  /** Gives the region with one node to connect to, as the map has it whenever that is asked. */
  regionSource(target: DERPNode): () => DERPRegion | undefined {
    const key = this.#keys.get(target) ?? target.Name
    return () => {
      const region = this.#region
      const [ideal] = this.#nodes.values()
      const node = this.#nodes.get(key)
      if (region === undefined || ideal === undefined || node === undefined) return undefined
      // The first node stays first, so that its name is announced, but is passed over.
      return { ...region, Nodes: ideal === node ? [node] : [{ ...ideal, STUNOnly: true }, node] }
    }
  }
}

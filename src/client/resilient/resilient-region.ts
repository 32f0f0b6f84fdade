/**
 * A resilient client of one region of a DERP map, which may be replaced while it runs.
 *
 * Clauses: P-225.
 */

import { diffDerpMaps } from '../../derpmap/diff.ts'
import type { DERPMap, DERPNode, DERPRegion } from '../../derpmap/types.ts'
import type { Client } from '../client.ts'
import { ResilientClient } from './resilient-client.ts'
import type { ResilientClientOptions } from './resilient-options.ts'

export interface ResilientRegionOptions
  extends Omit<ResilientClientOptions<DERPNode>, 'targets' | 'createClient' | 'nameOf' | 'isSame'> {
  readonly map: DERPMap
  /** The region may be missing as long as no map has it. */
  readonly regionId: number
  /**
   * Makes a client that connects to the region that `getRegion` gives when it is asked: the region with a single node
   * to connect to, which is told what the ideal one would have been. It has none when its node is gone.
   *
   * ```ts
   * createClient: getRegion => Client.forRegion(privateKey, getRegion)
   * ```
   */
  readonly createClient: (getRegion: () => DERPRegion | undefined) => Client
}

/** Connects to the first node of a region that can be reached, as its map says. */
export class ResilientRegionClient extends ResilientClient<DERPNode> {
  readonly #nodes: RegionNodes

  /** Opens nothing yet. @throws DerpError for an option that is out of bounds. */
  constructor(options: ResilientRegionOptions) {
    const nodes = new RegionNodes(options.map, options.regionId)
    super({
      ...options,
      targets: nodes.targets(),
      createClient: node => options.createClient(() => nodes.regionFor(node.Name)),
      nameOf: node => node.Name,
      isSame: (a, b) => nodes.isSame(a, b),
    })
    this.#nodes = nodes
  }

  /** Takes another map. The connection is only made anew if what the map says of its node has changed. */
  replaceMap(map: DERPMap): void {
    this.#nodes.replace(map)
    this.replaceTargets(this.#nodes.targets())
  }
}

class RegionNodes {
  readonly #regionId: number
  #map: DERPMap
  /** Names of nodes to which connections of the map before may not go on. */
  #touched: ReadonlySet<string> = new Set()

  constructor(map: DERPMap, regionId: number) {
    this.#map = map
    this.#regionId = regionId
  }

  targets(): readonly DERPNode[] {
    return this.#region()?.Nodes.filter(({ STUNOnly = false }) => !STUNOnly) ?? []
  }

  replace(map: DERPMap): void {
    const { regionsChanged } = diffDerpMaps(this.#map, map)
    const change = regionsChanged.find(({ regionId }) => regionId === this.#regionId)
    const touched = change?.nodesChanged.filter(({ affectsConnections }) => affectsConnections) ?? []
    this.#touched = new Set(touched.map(({ name }) => name))
    this.#map = map
  }

  isSame(a: DERPNode, b: DERPNode): boolean {
    return a.Name === b.Name && !this.#touched.has(b.Name)
  }

  regionFor(name: string): DERPRegion | undefined {
    const region = this.#region()
    const [ideal] = region?.Nodes ?? []
    const node = region?.Nodes.find(({ Name }) => Name === name)
    if (region === undefined || ideal === undefined || node === undefined) return undefined
    // The first node stays first, so that its name is announced, but is passed over.
    return { ...region, Nodes: ideal === node ? [node] : [{ ...ideal, STUNOnly: true }, node] }
  }

  #region(): DERPRegion | undefined {
    return this.#map.Regions?.[this.#regionId]
  }
}

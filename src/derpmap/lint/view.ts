/** A DERP map as lint sees it: correctly typed values and the path of each field. */

import type { DERPMap, DERPNode, DERPRegion } from '../types.ts'
import type { MapPath } from './issue.ts'

/** The document format, which decides what is valid. */
export type MapFormat =
  /** Plain JSON, as control servers send it. */
  | 'json'
  /** A Tailscale policy file, with the map under `derpMap`. */
  | 'policy'
  /** YAML as Headscale reads it, with lower-case names. */
  | 'yaml'

/** Fields of one object. */
export interface View<T> {
  readonly path: MapPath
  /** Correctly typed fields. */
  readonly values: Readonly<Partial<T>>
  /** Paths of all fields, including wrongly typed ones. */
  readonly places: Readonly<Partial<Record<keyof T, MapPath>>>
}

export interface NodeView extends View<DERPNode> {
  readonly region: RegionView
}

export interface RegionView extends View<DERPRegion> {
  /** The key of the region. */
  readonly id: number
  readonly nodes: readonly NodeView[]
}

/** A region ID used as a key. */
export interface NumberedPlace {
  readonly id: number
  readonly path: MapPath
}

export interface MapView extends View<DERPMap> {
  readonly format: MapFormat
  readonly regions: readonly RegionView[]
  /** Regions that are `null`. */
  readonly removed: readonly NumberedPlace[]
  readonly scores: readonly (NumberedPlace & { readonly score: number })[]
}

/** Path of a field, or of the object if the field is missing. */
export function placeOf<T>({ path, places }: View<T>, field: keyof T | undefined): MapPath {
  return (field === undefined ? undefined : places[field]) ?? path
}

/** Builds the view of a document and reports wrong names and types. */

import { type FieldTable, HOME_FIELDS, MAP_FIELDS, type MapField, NODE_FIELDS, REGION_FIELDS } from '../map-fields.ts'
import type { DERPHomeParams, DERPNode } from '../types.ts'
import type { LintIssue, MapPath } from './issue.ts'
import { nearestName } from './spelling.ts'
import type { MapFormat, MapView, NodeView, NumberedPlace, RegionView, View } from './view.ts'

/** Reads one document. */
export class ViewReader {
  readonly issues: LintIssue[] = []
  readonly #format: MapFormat

  constructor(format: MapFormat) {
    this.#format = format
  }

  /** @param path of the map within the document. */
  readMap(value: unknown, path: MapPath): MapView {
    const view = this.#readFields(value, path, MAP_FIELDS)
    const entries = this.#numbered(view.values.Regions, view.places.Regions ?? path)
    const removed = entries.filter(({ value: region }) => region === null)
    const regions = entries.filter(({ value: region }) => region !== null).map(entry => this.#readRegion(entry))
    const home = this.#readHome(view)
    return { ...view, format: this.#format, regions, removed, scores: home }
  }

  #readHome({ values, places }: View<{ HomeParams?: unknown }>): MapView['scores'] {
    if (places.HomeParams === undefined || values.HomeParams === undefined) return []
    const home = this.#readFields<DERPHomeParams>(values.HomeParams, places.HomeParams, HOME_FIELDS)
    const scores = this.#numbered(home.values.RegionScore, home.places.RegionScore ?? home.path)
    return scores.flatMap(({ id, path, value }) => {
      if (typeof value === 'number') return [{ id, path, score: value }]
      this.#wrongType(path, value, A_NUMBER)
      return []
    })
  }

  #readRegion({ id, path, value }: Entry): RegionView {
    const view = this.#readFields(value, path, REGION_FIELDS)
    const nodes: NodeView[] = []
    const region: RegionView = { ...view, id, nodes }
    const place = view.places.Nodes ?? path
    for (const [at, node] of ((view.values.Nodes ?? []) as readonly unknown[]).entries()) {
      nodes.push({ ...this.#readFields<DERPNode>(node, [...place, at], NODE_FIELDS), region })
    }
    return region
  }

  /** Ignores case as Go's JSON decoder does; case issues are reported. */
  #readFields<T>(value: unknown, path: MapPath, table: FieldTable<T>): View<T> {
    const values: Record<string, unknown> = {}
    const places: Record<string, MapPath> = {}
    if (!isObject(value)) {
      this.#wrongType(path, value, AN_OBJECT)
      return { path, values: values as Partial<T>, places: places as View<T>['places'] }
    }
    const names = Object.keys(table)
    for (const [key, content] of Object.entries(value)) {
      const place = [...path, key]
      const name = names.find(each => each.toLowerCase() === key.toLowerCase())
      if (name === undefined) {
        this.#unknownKey(place, key, names)
        continue
      }
      this.#checkCase(place, key, name)
      places[name] = place
      if (content === null || content === undefined) continue
      if (this.#hasType(content, place, table[name as keyof T])) values[name] = content
    }
    return { path, values: values as Partial<T>, places: places as View<T>['places'] }
  }

  #numbered(value: unknown, path: MapPath): Entry[] {
    return Object.entries(value ?? {}).flatMap(([key, content]) => {
      const place = [...path, key]
      const id = /^[1-9]\d*$/.test(key) ? Number(key) : 0
      if (id > 0 && Number.isSafeInteger(id)) return [{ id, path: place, value: content }]
      this.#add('error', 'region-key', place, {
        message: `the key ${quote(key)} is not a region ID`,
        fix: 'use a positive integer, 900 to 999 for your own regions',
      })
      return []
    })
  }

  #hasType(value: unknown, path: MapPath, field: MapField): boolean {
    const wanted = wantedType(value, field)
    if (wanted === undefined) return true
    this.#wrongType(path, value, wanted)
    return false
  }

  #unknownKey(path: MapPath, key: string, names: readonly string[]): void {
    const meant = nearestName(key, names)
    // A misspelt top-level name leaves the map without regions.
    const isFatal = path.length <= 2 && meant === 'Regions'
    this.#add(isFatal ? 'error' : 'warning', 'unknown-key', path, {
      message: `${quote(key)} is not a field of a DERP map and is ignored`,
      fix: meant === undefined ? 'remove it' : `did you mean ${this.#spelt(meant)}?`,
    })
  }

  #checkCase(path: MapPath, key: string, name: string): void {
    const wanted = this.#spelt(name)
    if (this.#format === 'yaml') {
      if (key === wanted) return
      const message = `${quote(key)} is ignored: Headscale reads lower-case names only`
      this.#add('error', 'key-case', path, { message, fix: `write ${wanted}` })
    } else if (key !== name && name !== 'omitDefaultRegions') {
      const message = `${quote(key)} should be spelt ${name}; not every reader ignores case`
      this.#add('warning', 'key-case', path, { message, fix: `write ${name}` })
    }
  }

  #spelt(name: string): string {
    return this.#format === 'yaml' ? name.toLowerCase() : name
  }

  #wrongType(path: MapPath, value: unknown, { what, write }: Wanted): void {
    this.#add('error', 'wrong-type', path, { message: `${quote(value)} is not ${what}`, fix: `write ${write}` })
  }

  #add(severity: LintIssue['severity'], rule: string, path: MapPath, finding: { message: string; fix: string }): void {
    this.issues.push({ severity, rule, path, ...finding })
  }
}

interface Entry extends NumberedPlace {
  readonly value: unknown
}

/** The expected type, and how to write a value of it. */
interface Wanted {
  readonly what: string
  readonly write: string
}

const A_NUMBER: Wanted = { what: 'a number', write: 'a number' }
const AN_OBJECT: Wanted = { what: 'an object', write: 'an object' }

/** The expected type; undefined when the value has it. */
function wantedType(value: unknown, field: MapField): Wanted | undefined {
  const want = (isGood: boolean, what: string, rest = ''): Wanted | undefined =>
    isGood ? undefined : { what, write: `${what}${rest}` }
  switch (field.kind) {
    case 'text':
      return want(typeof value === 'string', 'a string', ' in quotes')
    case 'flag':
      return want(typeof value === 'boolean', 'true or false', ', without quotes')
    case 'integer':
    case 'number': {
      const isNumber = typeof value === 'number' && (field.kind === 'number' || Number.isInteger(value))
      const isGood = isNumber && value >= field.min && value <= field.max
      const what = field.kind === 'integer' ? 'an integer' : 'a number'
      return want(
        isGood,
        `${what} ${rangeOf(field.min, field.max)}`,
        typeof value === 'string' ? ', without quotes' : '',
      )
    }
    case 'list':
      return want(Array.isArray(value), 'a list')
    case 'object':
    case 'byRegion':
      return want(isObject(value), 'an object')
  }
}

function rangeOf(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Longest value shown in full. */
const MAX_SHOWN = 60

/** A value as shown in messages. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** Parses names and shapes of a relay's metrics from its output. Pure; for the capture and the test of our own. */

/** Shape of a name in `/debug/vars`: the type of its value, or the keys of an object. */
export type VarsShape = 'number' | 'string' | 'array' | readonly string[]

/** Shape of a name in `/debug/varz`. */
export interface VarzShape {
  /** From the TYPE line; `untyped` without one. */
  readonly type: string
  /** Label names of its samples; empty for histograms. */
  readonly labels: readonly string[]
}

/** Top-level objects of `/debug/vars` that contain metrics; in others the keys are labels. */
const GROUPS: ReadonlySet<string> = new Set(['derp', 'stun', 'tls_listener', 'derphttp'])
const GROUP_SEPARATOR = '/'

/** Names and shapes of `/debug/vars`; names within a group are `group/name`. */
export function varsShapes(json: string): Record<string, VarsShape> {
  const shapes: Record<string, VarsShape> = {}
  for (const [name, value] of Object.entries(JSON.parse(json) as Record<string, unknown>)) {
    if (!GROUPS.has(name)) shapes[name] = shapeOf(value)
    else {
      for (const [inner, innerValue] of Object.entries(value as object)) {
        shapes[name + GROUP_SEPARATOR + inner] = shapeOf(innerValue)
      }
    }
  }
  return shapes
}

function shapeOf(value: unknown): VarsShape {
  if (typeof value === 'number') return 'number'
  if (typeof value === 'string') return 'string'
  return Array.isArray(value) ? 'array' : Object.keys(value as object)
}

/** One sample line of `/debug/varz`. */
export interface VarzSample {
  readonly name: string
  /** The text between the braces; empty without labels. */
  readonly labels: string
  readonly value: number
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_]\w*)="/g
const HISTOGRAM_PART = /_(?:bucket|sum|count)$/

/** All sample lines. @throws Error for a line that is neither a comment nor a sample. */
export function varzSamples(text: string): VarzSample[] {
  return linesOf(text)
    .filter(line => !line.startsWith('#'))
    .map(line => {
      const [, name, labels, value] = SAMPLE.exec(line) ?? []
      if (name === undefined || Number.isNaN(Number(value))) throw new Error(`read sample "${line}": not "name value"`)
      return { name, labels: labels ?? '', value: Number(value) }
    })
}

/** Names and shapes of `/debug/varz`; a histogram is one name. */
export function varzShapes(text: string): Record<string, VarzShape> {
  const types = new Map<string, string>()
  for (const line of linesOf(text)) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (name !== undefined && type !== undefined) types.set(name, type)
  }
  const shapes: Record<string, VarzShape> = {}
  for (const [name, type] of types) shapes[name] = { type, labels: [] }
  for (const { name, labels } of varzSamples(text)) {
    const base = name.replace(HISTOGRAM_PART, '')
    if (types.get(base) === 'histogram' || types.get(base) === 'summary') continue
    shapes[name] = {
      type: types.get(name) ?? 'untyped',
      labels: Array.from(labels.matchAll(LABEL), ([, label]) => label as string),
    }
  }
  return shapes
}

function linesOf(text: string): string[] {
  return text.split('\n').filter(line => line !== '')
}

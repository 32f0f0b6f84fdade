/** Errors in DERP maps. */

import { DerpError } from '../lib/derp-error.ts'

/** Maximum characters of a value that messages show. */
const MAX_SHOWN_LENGTH = 80

/**
 * A DERP map that cannot be parsed.
 *
 * @example
 * ```ts
 * try {
 *   parseDerpMap('{"Region": {}}')
 * } catch (error) {
 *   if (error instanceof DerpMapError) console.log(error.path, error.message)
 * }
 * ```
 */
export class DerpMapError extends DerpError {
  /** Where, such as `Regions.900.Nodes[0].DERPPort`; empty for the whole map. */
  readonly path: string
  /** The offending value. */
  readonly value: unknown
  /** What is wrong, without path and value. */
  readonly reason: string

  /** @internal */
  constructor(path: string, value: unknown, reason: string, cause?: unknown) {
    super('ERR_DERP_MAP_INVALID', `parse DERP map: ${path || 'the map'} is ${show(value)}: ${reason}`, { cause })
    this.path = path
    this.value = value
    this.reason = reason
  }
}

function show(value: unknown): string {
  const text = value === undefined ? 'missing' : (asJson(value) ?? `a ${typeof value}`)
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text
}

/** Undefined for values that JSON lacks, and for circular ones. */
function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

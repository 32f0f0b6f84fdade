/** Parses fields of JSON objects with the original's leniency about case and strictness about types. */

import { DerpMapError } from './derp-map-error.ts'

/** Returns `value` with its type checked. @throws DerpMapError naming `path`. */
export type Check<T> = (value: unknown, path: string) => T

/** Field names in canonical spelling, with their checks. */
export type FieldChecks = Readonly<Record<string, Check<unknown>>>

/** The fields that were present. */
export type Fields<F extends FieldChecks> = { [K in keyof F]?: ReturnType<F[K]> }

/** Receives a problem that leaves the rest usable; may throw it. */
export type ReportProblem = (problem: DerpMapError) => void

/**
 * Reads the fields of an object. Names match in any case, the last duplicate wins, `null` counts as absent, and unknown
 * fields are reported and left out.
 */
export function readFields<const F extends FieldChecks>(
  value: unknown,
  path: string,
  checks: F,
  report: ReportProblem,
): Fields<F> {
  const names = new Map(Object.keys(checks).map(name => [name.toLowerCase(), name]))
  const fields: Record<string, unknown> = {}
  for (const [key, content] of entriesOf(value, path)) {
    const name = names.get(key.toLowerCase())
    if (name === undefined) report(new DerpMapError(memberPath(path, key), content, 'not a known field, ignored'))
    else if (content !== null && content !== undefined) fields[name] = checks[name]?.(content, memberPath(path, name))
  }
  return fields as Fields<F>
}

/** A check that reports errors and leaves the field out. */
export function orReport<T>(check: Check<T>, report: ReportProblem): Check<T | undefined> {
  return (value, path) => {
    try {
      return check(value, path)
    } catch (error) {
      if (!(error instanceof DerpMapError)) throw error
      report(error)
      return undefined
    }
  }
}

/** Names and values of an object. */
export function entriesOf(value: unknown, path: string): [name: string, value: unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DerpMapError(path, value, 'not an object')
  }
  return Object.entries(value)
}

/** The path of a member of the object at `path`. */
export function memberPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

export function text(value: unknown, path: string): string {
  if (typeof value === 'string') return value
  throw new DerpMapError(path, value, 'not a string')
}

export function flag(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value
  throw new DerpMapError(path, value, 'not true or false')
}

export function decimal(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new DerpMapError(path, value, 'not a number')
}

export function list(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new DerpMapError(path, value, 'not a list')
}

/** A check for whole numbers. */
export function wholeNumber(min: number, max: number): Check<number> {
  return (value, path) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    throw new DerpMapError(path, value, `not an integer from ${min} to ${max}`)
  }
}

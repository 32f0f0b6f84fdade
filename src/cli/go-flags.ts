/** Flags in the style of Go's `flag` package: `-a :443`, `--a=:443`, `-stun=false`. */

import parse from 'yargs-parser'
import { DerpError } from '../lib/derp-error.ts'
import { parseDuration } from '../lib/duration.ts'
import { didYouMean } from './did-you-mean.ts'

/** Type of a flag. Durations are written as in Go (`1m30s`) and read as milliseconds. */
export type FlagKind = 'bool' | 'string' | 'int' | 'float' | 'duration'

/** One flag of a command. */
export interface FlagSpec {
  readonly kind: FlagKind
  /** In the flag's own notation, as `-help` shows it. */
  readonly default: string
  readonly help: string
  /** Also read from a file, as the value must not appear in process lists. */
  readonly secret?: boolean
  /** Why a known flag is rejected, and what to do instead; goes into the error. */
  readonly refused?: string
}

/** Flags of a command, by name. */
export type FlagTable = Readonly<Record<string, FlagSpec>>

interface KindTypes {
  bool: boolean
  string: string
  int: number
  float: number
  duration: number
}

/** Values of a table's flags. */
export type FlagValues<T extends FlagTable> = { readonly [K in keyof T]: KindTypes[T[K]['kind']] }

/** Go's int64 range; above 2^53 values are rounded. */
const MAX_INT = 2n ** 63n - 1n
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const INFINITY = /^([+-]?)inf(?:inity)?$/i
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])
const HELP_FLAGS = new Set(['h', 'help'])

/** Result of {@link parseFlags}. */
export type ParsedFlags<T extends FlagTable> =
  | { readonly help: true }
  | { readonly help: false; readonly values: FlagValues<T>; readonly given: ReadonlySet<string> }

/**
 * Parses `args`.
 *
 * @param commands names of commands, for a hint.
 * @throws DerpError naming flag, value and reason.
 */
export function parseFlags<const T extends FlagTable>(
  table: T,
  args: readonly string[],
  commands: readonly string[] = [],
): ParsedFlags<T> {
  const normal = joinValues(table, args).map(arg => normalizeBoolean(table, arg))
  refuseUnknownFlags(table, normal)
  const parsed = parse(normal, {
    boolean: [...namesOf(table, 'bool'), ...HELP_FLAGS],
    string: Object.keys(table).filter(name => table[name]?.kind !== 'bool'),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'halt-at-non-option': true,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
    },
  })
  if (parsed['h'] === true || parsed['help'] === true) return { help: true }
  if (parsed._.length > 0) {
    const argument = String(parsed._[0])
    const hint = didYouMean(argument, commands, command => command)
    throw invalid(`read argument "${argument}": no such command or flag; ${hint}`)
  }
  const given = new Set(Object.keys(parsed).filter(name => name !== '_'))
  for (const name of given) refuseFlag(name, table[name])
  const values = Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [
      name,
      readFlagValue(name, spec, given.has(name) ? parsed[name] : spec.default),
    ]),
  )
  return { help: false, values: values as FlagValues<T>, given }
}

function namesOf(table: FlagTable, kind: FlagKind): string[] {
  return Object.keys(table).filter(name => table[name]?.kind === kind)
}

/** Go reads the next argument as the value even if it begins with a dash; the parser would read a flag. */
function joinValues(table: FlagTable, args: readonly string[]): string[] {
  const joined: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string
    const name = /^--?([^-=][^=]*)$/.exec(arg)?.[1]
    const wantsValue = name !== undefined && Object.hasOwn(table, name) && table[name]?.kind !== 'bool'
    if (!wantsValue) {
      joined.push(arg)
      continue
    }
    const value = args[++at]
    if (value === undefined) throw invalid(`read flag -${name}: no value`)
    joined.push(`--${name}=${value}`)
  }
  return joined
}

/** The parser keeps flags in an object, where some names mean something else. */
function refuseUnknownFlags(table: FlagTable, args: readonly string[]): void {
  for (const arg of args) {
    // The first argument that is not a flag ends them.
    if (!arg.startsWith('-') || arg === '-' || arg === '--') return
    const name = /^--?([^-=][^=]*)/.exec(arg)?.[1]
    if (name === undefined) throw invalid(`read argument "${arg}": not written as a flag, such as -name or -name=value`)
    if (!Object.hasOwn(table, name) && !HELP_FLAGS.has(name)) {
      throw noSuchFlag(`read flag -${name}: no such flag`, name, table)
    }
  }
}

/** The parser reads anything but `true` as false. */
function normalizeBoolean(table: FlagTable, arg: string): string {
  const match = /^--?([^=]+)=(.*)$/s.exec(arg)
  const [, name = '', value = ''] = match ?? []
  if (match === null || table[name]?.kind !== 'bool') return arg
  return `--${name}=${readBool(name, value)}`
}

/** Parses a flag's value. @throws DerpError naming flag, value and reason. */
export function readFlagValue(name: string, spec: FlagSpec, value: unknown): string | number | boolean {
  if (typeof value === 'boolean') return value
  const text = String(value)
  switch (spec.kind) {
    case 'bool':
      return readBool(name, text)
    case 'string':
      // Only a configuration file can have one; no path, host or URL may.
      if (text.includes('\0')) throw badValue(name, text.replaceAll('\0', '\\0'), 'text without null bytes')
      return text
    case 'int': {
      if (!/^[+-]?\d+$/.test(text) || !isGoInt(BigInt(text))) throw badValue(name, text, 'a whole number')
      return Number(text)
    }
    case 'float': {
      const [infinite, sign] = INFINITY.exec(text) ?? []
      if (infinite !== undefined) return sign === '-' ? -Infinity : Infinity
      if (!FLOAT.test(text)) throw badValue(name, text, 'a number')
      return Number(text)
    }
    case 'duration': {
      const ms = parseDuration(text)
      if (ms === undefined) throw badValue(name, text, 'a duration such as 2s or 1m30s')
      return ms
    }
  }
}

function isGoInt(value: bigint): boolean {
  return value <= MAX_INT && value >= -MAX_INT - 1n
}

/** @throws DerpError for a rejected flag. */
export function refuseFlag(name: string, spec: FlagSpec | undefined): void {
  if (spec?.refused !== undefined) throw invalid(`read flag -${name}: ${spec.refused}`)
}

function readBool(name: string, text: string): boolean {
  if (TRUE.has(text)) return true
  if (FALSE.has(text)) return false
  throw badValue(name, text, 'true or false')
}

/** An error for an unknown flag, with a suggestion. */
export function noSuchFlag(message: string, name: string, table: FlagTable): DerpError {
  return invalid(`${message}; ${didYouMean(name, Object.keys(table), meant => `-${meant}`)}`)
}

const invalid = (message: string) => new DerpError('ERR_DERP_CONFIG_INVALID', message)
const badValue = (name: string, value: string, wanted: string) =>
  invalid(`set flag -${name} to "${value}": not ${wanted}`)

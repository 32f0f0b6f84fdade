/**
 * The JSON objects inside the login boxes, parsed as leniently as the original does: keys in any case,
 * nulls and unknown keys ignored, wrong types rejected (P-033, P-034).
 */

import { decodeUtf8, encodeUtf8 } from '../lib/bytes.ts'
import { ProtocolError } from '../lib/derp-error.ts'
import { JsonBoundsError, readJsonTokens } from './json-tokens.ts'

type FieldKind = 'string' | 'boolean' | 'integer' | 'any'
interface FieldTypes {
  string: string
  boolean: boolean
  integer: number
  /** Objects and arrays are read as empty. */
  any: unknown
}

/** Field names (as the original writes them) and kinds. */
export type InfoSchema = Readonly<Record<string, FieldKind>>
/** The result of {@link parseInfo} for a schema: the fields that were present. */
export type InfoFields<S extends InfoSchema> = { [K in keyof S]?: FieldTypes[S[K]] }

/** The object being parsed: its name for errors, and its clause. */
export interface InfoSource {
  readonly what: string
  readonly clause: string
}

const WHOLE_NUMBER = /^-?\d{1,19}$/

/**
 * Parses the fields of `schema` from JSON bytes.
 *
 * @throws ProtocolError when it is not JSON, has too many values, is not an object or null, or a field has another type.
 */
export function parseInfo<const S extends InfoSchema>(json: Uint8Array, schema: S, source: InfoSource): InfoFields<S> {
  const text = decodeUtf8(json)
  const tokens = tokensOf(text, source)
  const whole = parseJson(text, source)
  if (typeof whole !== 'object' || Array.isArray(whole)) throw malformed(source, 'not a JSON object')
  const names = new Map(Object.keys(schema).map(name => [name.toLowerCase(), name]))
  const fields: Record<string, unknown> = {}
  for (const [key, value] of membersOf(tokens)) {
    const name = names.get(key.toLowerCase())
    if (name === undefined || value === 'null') continue
    const kind = schema[name] as FieldKind
    if (!isKind(value, kind)) throw malformed(source, `${name} is not of type ${kind}`)
    fields[name] = value === '{' ? {} : value === '[' ? [] : JSON.parse(value)
  }
  return fields as InfoFields<S>
}

/** JSON bytes of `fields` in the given order, omitting undefined ones. */
export function formatInfo(fields: Readonly<Record<string, string | boolean | number | undefined>>): Uint8Array {
  return encodeUtf8(JSON.stringify(fields))
}

/** Before anything is parsed: nested JSON of a few hundred kilobytes would hold the thread for half a second. */
function tokensOf(text: string, source: InfoSource): readonly string[] {
  try {
    return readJsonTokens(text)
  } catch (error) {
    if (error instanceof JsonBoundsError) throw malformed(source, error.message)
    throw error
  }
}

function parseJson(text: string, source: InfoSource): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed(source, 'not JSON', cause)
  }
}

/**
 * Names and values of a JSON object, in order and including repeated names, which `JSON.parse` loses.
 *
 * A value is its source text, because `1` and `1.0` differ here; for objects and arrays only the first bracket.
 */
function membersOf(tokens: readonly string[]): [name: string, value: string][] {
  const members: [string, string][] = []
  let depth = 0
  let name: string | undefined
  for (const token of tokens) {
    if (depth === 1 && token !== ',' && token !== ':' && token !== '}') {
      if (name === undefined) name = JSON.parse(token) as string
      else {
        members.push([name, token])
        name = undefined
      }
    }
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
  }
  return members
}

function isKind(value: string, kind: FieldKind): boolean {
  switch (kind) {
    case 'any':
      return true
    case 'string':
      return value.startsWith('"')
    case 'boolean':
      return value === 'true' || value === 'false'
    case 'integer':
      return WHOLE_NUMBER.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value)
  }
}

function malformed({ what, clause }: InfoSource, reason: string, cause?: unknown): ProtocolError {
  return new ProtocolError('ERR_DERP_LOGIN_INFO_MALFORMED', `parse ${what}: ${reason}`, { clause, cause })
}

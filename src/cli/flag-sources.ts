/**
 * Values of flags, in order of precedence: command line, environment, configuration file, default. All use the flag's
 * notation and the same parser.
 */

import { readFile } from 'node:fs/promises'
import { systemClock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { TextFile } from '../lib/files/node-text-file.ts'
import {
  type FlagSpec,
  type FlagTable,
  type FlagValues,
  noSuchFlag,
  parseFlags,
  readFlagValue,
  refuseFlag,
} from './go-flags.ts'
import { unreadable } from './unreadable.ts'

/** Name of the flag that names the configuration file. */
const CONFIG_FLAG = 'config'

/** Sources of flags, besides the configuration file. */
export interface FlagInput {
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Default: {@link readAnything}. */
  readonly read?: ReadText
  /** Names of commands, for a hint. */
  readonly commands?: readonly string[]
}

/** Values of flags. */
export interface SourcedFlags<T extends FlagTable> {
  readonly help: boolean
  readonly values: FlagValues<T>
  /** Names of the flags that were set. */
  readonly given: ReadonlySet<string>
}

/** Reads a file named by a flag or variable. */
export type ReadText = (path: string) => Promise<string>

/** Reads any file, pipes included, without a time limit: for startup. */
export const readAnything: ReadText = path => readFile(path, 'utf8')

/** Reads regular files with a time limit: for a running daemon. */
export const readRegular: ReadText = async path => (await new TextFile(path, systemClock).read()).text

/** Name of a flag's environment variable, such as `DERPER_STUN_PORT`. */
export function environmentName(command: string, flag: string): string {
  return `${command}_${flag}`.toUpperCase().replaceAll('-', '_')
}

/**
 * Reads the flags of a command from all sources.
 *
 * Rejects with a DerpError naming source, flag, value and reason.
 */
export async function readFlags<const T extends FlagTable>(
  command: string,
  table: T,
  { args, env, read = readAnything, commands }: FlagInput,
): Promise<SourcedFlags<T>> {
  const line = parseFlags(table, args, commands)
  if (line.help) return { help: true, values: defaultsOf(table), given: new Set() }
  const values: Record<string, unknown> = { ...line.values }
  const given = new Set(line.given)
  const take = (name: string, value: unknown) => {
    if (given.has(name)) return
    values[name] = value
    given.add(name)
  }
  for await (const [name, value] of fromEnvironment(command, table, env, read)) take(name, value)
  const configPath = values[CONFIG_FLAG]
  if (typeof configPath === 'string' && configPath !== '') {
    for await (const [name, value] of fromConfig(table, configPath, read)) take(name, value)
  }
  return { help: false, values: values as FlagValues<T>, given }
}

function defaultsOf<T extends FlagTable>(table: T): FlagValues<T> {
  const entries = Object.entries(table).map(([name, spec]) => [name, readFlagValue(name, spec, spec.default)])
  return Object.fromEntries(entries) as FlagValues<T>
}

async function* fromEnvironment(
  command: string,
  table: FlagTable,
  env: NodeJS.ProcessEnv,
  read: ReadText,
): AsyncGenerator<readonly [string, unknown]> {
  for (const [name, spec] of Object.entries(table)) {
    const variable = environmentName(command, name)
    const text = env[variable] ?? (await secretFrom(spec, `${variable}_FILE`, env, read))
    if (text !== undefined) yield [name, await withSource(variable, () => takeValue(name, spec, text))]
  }
}

/** Kubernetes sets such variables for a Service with the name of the command. */
const OF_SERVICES = /_SERVICE_(?:HOST|PORT\w*)$|_PORT(?:_\d+_\w+)?$/

/** Variables with the command's prefix that belong to no flag, most likely misspelt. */
export function unknownVariables(command: string, table: FlagTable, env: NodeJS.ProcessEnv): readonly string[] {
  const known = Object.entries(table).flatMap(([name, { secret }]) => {
    const variable = environmentName(command, name)
    return secret === true ? [variable, `${variable}_FILE`] : [variable]
  })
  const prefix = environmentName(command, '')
  const isUnknown = (name: string) => name.startsWith(prefix) && !known.includes(name) && !OF_SERVICES.test(name)
  return Object.keys(env).filter(isUnknown).toSorted()
}

/** Container platforms provide secrets as files. */
async function secretFrom(
  spec: FlagSpec,
  variable: string,
  env: NodeJS.ProcessEnv,
  read: ReadText,
): Promise<string | undefined> {
  const path = env[variable]
  if (spec.secret !== true || path === undefined) return undefined
  return withSource(variable, async () => (await readNamed(path, read)).trim())
}

async function* fromConfig(table: FlagTable, path: string, read: ReadText): AsyncGenerator<readonly [string, unknown]> {
  const source = `configuration file ${path}`
  const config = await withSource(source, async () => parseConfig(await readNamed(path, read), path))
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw invalid(`read ${source}: not a JSON object`)
  }
  for (const [name, value] of Object.entries(config)) {
    const spec = Object.hasOwn(table, name) && name !== CONFIG_FLAG ? table[name] : undefined
    // For editors; see docs/derper.schema.json.
    if (spec === undefined && name === '$schema') continue
    if (name === CONFIG_FLAG)
      throw invalid(`read ${source}: key "${name}" cannot be set in the file that it names; remove it`)
    if (spec === undefined) throw noSuchFlag(`read ${source}: key "${name}" is not a flag`, name, table)
    if (typeof value !== CONFIG_TYPES[spec.kind]) {
      const wanted = `a ${CONFIG_TYPES[spec.kind]}${spec.kind === 'duration' ? ' such as "5s"' : ''}`
      throw invalid(`read ${source}: key "${name}" is ${JSON.stringify(value)}, not ${wanted}`)
    }
    yield [name, await withSource(source, () => takeValue(name, spec, value))]
  }
}

/** Not all runtimes say where the mistake is. */
function parseConfig(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const fix = `write the flags as one object, such as {"hostname": "relay.example"}; "jq . ${path}" shows the line`
    throw new Error(`not JSON (${(error as Error).message}); ${fix}`, { cause: error })
  }
}

async function readNamed(path: string, read: ReadText): Promise<string> {
  try {
    return await read(path)
  } catch (error) {
    throw new Error(unreadable(error), { cause: error })
  }
}

function takeValue(name: string, spec: FlagSpec, value: unknown): string | number | boolean {
  refuseFlag(name, spec)
  return readFlagValue(name, spec, value)
}

/** JSON types of the flags' values. */
const CONFIG_TYPES = {
  bool: 'boolean',
  string: 'string',
  int: 'number',
  float: 'number',
  duration: 'string',
} as const

/** Adds the source to errors of `read`. */
async function withSource<T>(source: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw invalid(`read ${source}: ${(error as Error).message}`, error)
  }
}

const invalid = (message: string, cause?: unknown) => new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause })

/**
 * Which JavaScript runtime this is: the only place that checks.
 *
 * Runtime-specific code is in files named `node-*.ts` and `bun-*.ts` behind one interface, and {@link byRuntime} picks
 * one. The table in docs/operate/runtimes.md lists what users see of it.
 */

export type RuntimeName = 'node' | 'bun'

export interface Runtime {
  readonly name: RuntimeName
  readonly version: string
}

interface Platform {
  readonly process?: { readonly versions?: { readonly node?: string; readonly bun?: string } }
}

const { process }: Platform = globalThis as Platform
const { node, bun } = process?.versions ?? {}

/** Others count as Node, whose modules they imitate. */
export const RUNTIME: Runtime =
  bun === undefined ? { name: 'node', version: node ?? 'unknown' } : { name: 'bun', version: bun }

/** Name and version, for people. */
export const RUNTIME_TITLE: string = `${RUNTIME.name === 'bun' ? 'Bun' : 'Node.js'} ${RUNTIME.version}`

/** The value for this runtime. */
export function byRuntime<T>(parts: Readonly<Record<RuntimeName, T>>): T {
  return parts[RUNTIME.name]
}

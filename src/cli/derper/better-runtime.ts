/** Advice to use the other runtime. Pure. */

import type { Runtime, RuntimeName } from '../../lib/runtime.ts'

/** The oldest tested Bun. */
const OLDEST_BUN: readonly [number, number, number] = [1, 4, 5]

/** How `derper` was started. */
export interface StartedOn {
  readonly runtime: Runtime
  /** Path of the program, `process.argv[1]`. */
  readonly script: string | undefined
  /** The variable DERPHTTP_RUNTIME: silences the advice. */
  readonly chosen: string | undefined
}

/** Fields for the log. */
export interface BetterRuntime {
  readonly better: RuntimeName
  readonly reason: string
  readonly fix: string
}

/** Undefined if this runtime is the better one, or was chosen explicitly. */
export function betterRuntime({ runtime, script, chosen }: StartedOn): BetterRuntime | undefined {
  // Sources run only in a clone, where the scripts choose.
  if (chosen || script === undefined || script.endsWith('.ts')) return undefined
  if (runtime.name === 'node') {
    return {
      better: 'bun',
      reason: 'Bun needs less CPU time and memory per client',
      fix: `start it as "bun --bun ${script}", or set DERPHTTP_RUNTIME=node to stay on Node`,
    }
  }
  if (isTested(runtime.version)) return undefined
  return {
    better: 'node',
    reason: `Bun ${runtime.version} is older than the tested versions`,
    fix: `use Bun ${OLDEST_BUN.join('.')} or newer, or start it as "node ${script}"; DERPHTTP_RUNTIME=bun to stay on Bun`,
  }
}

function isTested(version: string): boolean {
  const parts = version.split('.').map(part => Number.parseInt(part, 10))
  for (const [at, least] of OLDEST_BUN.entries()) {
    const part = parts[at] ?? 0
    if (part !== least) return part > least
  }
  return true
}

/** The relays of a run. */

import { join } from 'node:path'
import { runtimePath } from '../tools/runtime-path.ts'
import type { Contender } from './contender.ts'
import { newestRelay, referenceRelay, type StockBuild } from './tools.ts'

const ROOT = join(import.meta.dirname, '..')

/** Our relay from this working tree. */
export function ourRelay(nodeArgs: readonly string[]): Contender {
  return relayOfTree('ours', 'derphttp of this tree', ROOT, nodeArgs)
}

/** The same with two workers. */
export function ourTwoWorkers(nodeArgs: readonly string[]): Contender {
  const { command, args } = ourRelay(nodeArgs)
  return { id: 'ours-2-workers', label: 'derphttp of this tree, -workers 2', command, args: [...args, '-workers', '2'] }
}

/** The same on Bun. */
export function ourRelayOnBun(): Contender {
  const { args } = ourRelay([])
  return { id: 'ours-bun', label: 'derphttp of this tree, on Bun', command: runtimePath('bun'), args }
}

/** Our relay from source in a folder. */
export function relayOfTree(id: Contender['id'], label: string, tree: string, nodeArgs: readonly string[]): Contender {
  return { id, label, command: process.execPath, args: [...nodeArgs, join(tree, 'src/bin/derper.ts')] }
}

/** The reference release. */
export async function stockRelay(): Promise<Contender> {
  return contenderOf('stock', await referenceRelay())
}

/** The reference and the newest release. */
export async function stockRelays(): Promise<readonly Contender[]> {
  return [await stockRelay(), contenderOf('newest', await newestRelay())]
}

function contenderOf(id: 'stock' | 'newest', { version, path }: StockBuild): Contender {
  return { id, label: `derper ${version}`, command: path, args: [] }
}

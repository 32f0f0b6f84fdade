/** Gets the relays that take part in a run. */

import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { newestRelay, referenceRelay, type StockBuild } from './tools.ts'

const DERPER = 'src/bin/derper.ts'
const ROOT = join(import.meta.dirname, '..')

/** Our relay, from the source of this working tree. */
export function ourRelay(nodeArgs: readonly string[]): Contender {
  return relayOfTree('ours', 'derphttp of this tree', ROOT, nodeArgs)
}

/** Our relay from the source of a tree. */
export function relayOfTree(
  id: Contender['id'],
  label: string,
  tree: string,
  nodeArgs: readonly string[] = [],
): Contender {
  return { id, label, command: process.execPath, args: [...nodeArgs, join(tree, DERPER)] }
}

/** The reference and the newest. */
export async function stockRelays(): Promise<readonly Contender[]> {
  const contender = (id: 'stock' | 'newest', { version, path }: StockBuild): Contender => {
    return { id, label: `derper ${version}`, command: path, args: [] }
  }
  return [contender('stock', await referenceRelay()), contender('newest', await newestRelay())]
}

/** The relays of a run. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { runtimePath } from '../tools/runtime-path.ts'
import { CONTENDER_IDS, type Contender, type ContenderId } from './contender.ts'
import type { GitTree } from './git-tree.ts'
import { newestRelay, referenceRelay, type StockBuild } from './tools.ts'

const ROOT = join(import.meta.dirname, '..')
const TWO_WORKERS = ['-workers', '2']

export interface ContenderChoice {
  /** Empty for all. */
  readonly ids: readonly ContenderId[]
  readonly nodeArgs: readonly string[]
  readonly bunArgs: readonly string[]
  /** The ref to compare with instead of the original. */
  readonly tree: GitTree | undefined
}

/** The chosen relays; the original's are built if they are missing. */
export async function chooseContenders({
  ids,
  nodeArgs,
  bunArgs,
  tree,
}: ContenderChoice): Promise<readonly Contender[]> {
  const [ours, oursOnBun] = [ourRelay(nodeArgs), ourRelayOnBun(bunArgs)]
  const others: Partial<Record<ContenderId, () => Contender | Promise<Contender>>> =
    tree === undefined
      ? {
          newest: newestStockRelay,
          stock: stockRelay,
          'ours-bun-2-workers': () => withTwoWorkers('ours-bun-2-workers', oursOnBun),
          'ours-2-workers': () => withTwoWorkers('ours-2-workers', ours),
        }
      : {
          'against-bun': () => ({
            ...ourRelayOnBun(bunArgs, tree.directory),
            id: 'against-bun',
            label: `${tree.label}, on Bun`,
          }),
          against: () => relayOfTree('against', tree.label, tree.directory, nodeArgs),
        }
  const all = { 'ours-bun': () => oursOnBun, ours: () => ours, ...others }
  const chosen = CONTENDER_IDS.filter(id => ids.length === 0 || ids.includes(id)).flatMap(id => all[id] ?? [])
  if (chosen.length === 0) throw new Error(`choose relays: this run has none of ${ids.join(', ')}; see --help`)
  return await Promise.all(chosen.map(async create => create()))
}

/** Our relay from this working tree. */
export function ourRelay(nodeArgs: readonly string[]): Contender {
  return relayOfTree('ours', 'derphttp of this tree, on Node', ROOT, nodeArgs)
}

/** The same on Bun. */
export function ourRelayOnBun(bunArgs: readonly string[] = [], tree = ROOT): Contender {
  const command = runtimePath('bun')
  const version = execFileSync(command, ['--version'], { encoding: 'utf8' }).trim()
  const args = [...bunArgs, join(tree, 'src/bin/derper.ts')]
  return { id: 'ours-bun', label: `derphttp of this tree, on Bun ${version}`, command, args }
}

/** The reference release. */
export async function stockRelay(): Promise<Contender> {
  return contenderOf('stock', await referenceRelay())
}

async function newestStockRelay(): Promise<Contender> {
  return contenderOf('newest', await newestRelay())
}

function relayOfTree(id: ContenderId, label: string, tree: string, nodeArgs: readonly string[]): Contender {
  return { id, label, command: process.execPath, args: [...nodeArgs, join(tree, 'src/bin/derper.ts')] }
}

function withTwoWorkers(id: ContenderId, { label, command, args }: Contender): Contender {
  return { id, label: `${label}, -workers 2`, command, args: [...args, ...TWO_WORKERS] }
}

function contenderOf(id: ContenderId, { name, path }: StockBuild): Contender {
  return { id, label: name, command: path, args: [] }
}

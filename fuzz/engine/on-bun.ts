/** Compares what targets make of inputs on the two runtimes. */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { bunPath } from '../../tools/bun/bun-path.ts'
import { encodeInput, loadTarget } from './corpus.ts'

const PROGRAM = join(import.meta.dirname, '../outcomes-program.ts')

export interface Difference {
  readonly target: string
  /** In base64. */
  readonly input: string
  readonly onNode: string
  readonly onBun: string
}

/** Empty if there is no Bun for this machine. Rejects if a program fails. */
export async function differencesOnBun(
  inputs: ReadonlyMap<string, readonly Uint8Array[]>,
): Promise<readonly Difference[]> {
  const bun = bunPath()
  const asked: Record<string, string[]> = {}
  for (const [name, each] of inputs) {
    if ((await loadTarget(name)).isOfRuntime !== true) asked[name] = each.map(encodeInput)
  }
  if (bun === undefined || Object.keys(asked).length === 0) return []
  const [onNode, onBun] = await Promise.all([outcomesBy(process.execPath, asked), outcomesBy(bun, asked)])
  return Object.entries(asked).flatMap(([target, each]) =>
    each.flatMap((input, at) => {
      const [node = 'nothing', other = 'nothing'] = [onNode[target]?.[at], onBun[target]?.[at]]
      return node === other ? [] : [{ target, input, onNode: node, onBun: other }]
    }),
  )
}

type Outcomes = Readonly<Record<string, readonly string[]>>

async function outcomesBy(runtime: string, asked: Outcomes): Promise<Outcomes> {
  const child = spawn(runtime, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(asked))
  const answer = await text(child.stdout)
  if (answer === '') throw new Error(`run ${PROGRAM} by ${runtime}: no outcomes`)
  return JSON.parse(answer) as Outcomes
}

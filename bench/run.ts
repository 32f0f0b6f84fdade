/** One run of the benchmark, from what was asked to what was found. */

import { join } from 'node:path'
import type { Arguments } from './arguments.ts'
import { type Contender, Identity } from './contender.ts'
import { ourRelay, ourTwoWorkers, relayOfTree, stockRelays } from './contenders.ts'
import { GitTree } from './git-tree.ts'
import { HalfLoad } from './half-load.ts'
import { gatherResults, type Results } from './results.ts'
import { type Measured, runRounds, withRelay } from './rounds.ts'
import { chooseScenarios, HAS_WORKERS } from './scenarios/index.ts'
import { goVersion, loadGenerator } from './tools.ts'

const OUR_LOAD = join(import.meta.dirname, 'load/flow.ts')

/** Measures what was asked for; `note` is told of progress. */
export async function runBenchmark(asked: Arguments, note: (text: string) => void): Promise<Results> {
  note(`building with Go ${goVersion()} what is not built yet`)
  using tree = asked.against === undefined ? undefined : new GitTree(asked.against)
  const ours = ourRelay(asked.nodeArgs)
  const others =
    tree === undefined
      ? await stockRelays()
      : [relayOfTree('against', `derphttp of ${asked.against}, ${tree.commit}`, tree.directory, asked.nodeArgs)]
  const contenders = [ours, ...others]
  const workers = HAS_WORKERS && tree === undefined
  if (workers) contenders.push(ourTwoWorkers(asked.nodeArgs))
  else note('scenarios of two workers are left out: derper has no -workers, or --against is given')
  const measured = await measure(asked, contenders, workers, note)
  return gatherResults(measured, contenders, asked.rounds)
}

async function measure(
  asked: Arguments,
  contenders: readonly Contender[],
  workers: boolean,
  note: (text: string) => void,
): Promise<readonly Measured[]> {
  const scenarios = chooseScenarios({
    only: asked.only,
    aimsOnly: asked.quick || asked.against !== undefined,
    workers,
  })
  using identity = await Identity.create()
  const load = [await loadGenerator()] as const
  const base = contenders[1] as Contender
  const halfLoad = new HalfLoad(load, (carriage, use) => withRelay(base, carriage, identity, use))
  const bench = {
    load,
    ourLoad: [process.execPath, OUR_LOAD] as const,
    halfLoad: halfLoad.of.bind(halfLoad),
    note,
  }
  return await runRounds({ scenarios, contenders, rounds: asked.rounds, seconds: asked.seconds, identity, bench })
}

/** One run of the benchmark. */

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

/** Measures by the options; `note` receives progress messages. */
export async function runBenchmark(options: Arguments, note: (text: string) => void): Promise<Results> {
  note(`building missing programs with Go ${goVersion()}`)
  using tree = options.against === undefined ? undefined : new GitTree(options.against)
  const ours = ourRelay(options.nodeArgs)
  const others =
    tree === undefined
      ? await stockRelays()
      : [relayOfTree('against', `derphttp of ${options.against}, ${tree.commit}`, tree.directory, options.nodeArgs)]
  const contenders = [ours, ...others]
  const workers = HAS_WORKERS && tree === undefined
  if (workers) contenders.push(ourTwoWorkers(options.nodeArgs))
  else note('skipping scenarios with two workers: derper has no -workers, or --against is given')
  const measured = await measure(options, contenders, workers, note)
  return gatherResults(measured, contenders, options.rounds)
}

async function measure(
  options: Arguments,
  contenders: readonly Contender[],
  workers: boolean,
  note: (text: string) => void,
): Promise<readonly Measured[]> {
  const scenarios = chooseScenarios({
    only: options.only,
    aimsOnly: options.quick || options.against !== undefined,
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
  return await runRounds({ scenarios, contenders, rounds: options.rounds, seconds: options.seconds, identity, bench })
}

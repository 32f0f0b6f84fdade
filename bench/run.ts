/** One run of the benchmark. */

import { join } from 'node:path'
import type { Arguments } from './arguments.ts'
import { type Contender, type ContenderId, hasTwoWorkers, Identity } from './contender.ts'
import { chooseContenders } from './contenders.ts'
import { GitTree } from './git-tree.ts'
import { HalfLoad } from './half-load.ts'
import { gatherResults, type Results } from './results.ts'
import { type Measured, runRounds, withRelay } from './rounds.ts'
import { chooseScenarios } from './scenarios/index.ts'
import { goVersion, loadGenerator } from './tools.ts'

/** Relays that determine half load. */
const BASES: ReadonlySet<ContenderId> = new Set(['stock', 'against'])
const OUR_LOAD = join(import.meta.dirname, 'load/flow.ts')

/** Measures by the options; `note` receives progress messages. */
export async function runBenchmark(options: Arguments, note: (text: string) => void): Promise<Results> {
  note(`building missing programs with Go ${goVersion()}`)
  using tree = options.against === undefined ? undefined : new GitTree(options.against)
  const { contenders: ids, nodeArgs, bunArgs } = options
  const contenders = await chooseContenders({ ids, nodeArgs, bunArgs, tree })
  const measured = await measure(options, contenders, note)
  return gatherResults(measured, contenders, options.rounds)
}

async function measure(
  options: Arguments,
  contenders: readonly Contender[],
  note: (text: string) => void,
): Promise<readonly Measured[]> {
  const { only, aimsOnly, rounds, seconds } = options
  const workers = contenders.some(({ id }) => hasTwoWorkers(id))
  if (!workers) note('skipping scenarios with two workers: no such relay is in this run')
  const scenarios = chooseScenarios({ only, aimsOnly, workers })
  using identity = await Identity.create()
  const load = [await loadGenerator()] as const
  const base = contenders.find(({ id }) => BASES.has(id)) ?? (contenders[0] as Contender)
  const halfLoad = new HalfLoad(load, (carriage, use) => withRelay(base, carriage, identity, use))
  const bench = {
    load,
    ourLoad: [process.execPath, OUR_LOAD] as const,
    halfLoad: halfLoad.of.bind(halfLoad),
    note,
  }
  return await runRounds({ scenarios, contenders, rounds, seconds, identity, bench })
}

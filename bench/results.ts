/** Results of a benchmark run, as stored in JSON. */

import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Contender, ContenderId } from './contender.ts'
import type { Measured } from './rounds.ts'
import type { Figure } from './scenario.ts'
import { goVersion } from './tools.ts'

/** Values of one figure by contender, one per round. */
export type FigureValues = Partial<Record<ContenderId, readonly number[]>>

export interface FigureResult extends Figure {
  readonly values: FigureValues
}

export interface ScenarioResult {
  readonly id: string
  readonly title: string
  readonly figures: readonly FigureResult[]
}

export interface Results {
  /** ISO 8601, to the minute. */
  readonly date: string
  /** Commit of the working tree; ends in `+` with uncommitted changes. */
  readonly commit: string
  readonly machine: { readonly processor: string; readonly cores: number; readonly gigabytes: number }
  readonly system: string
  readonly node: string
  readonly go: string
  readonly contenders: readonly { readonly id: ContenderId; readonly label: string }[]
  readonly rounds: number
  readonly scenarios: readonly ScenarioResult[]
}

export function gatherResults(
  measured: readonly Measured[],
  contenders: readonly Contender[],
  rounds: number,
): Results {
  return {
    date: `${new Date().toISOString().slice(0, 16)}Z`,
    commit: currentCommit(),
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      gigabytes: Math.round(totalmem() / 2 ** 30),
    },
    system: `${process.platform} ${release()}`,
    node: process.version.slice(1),
    go: goVersion(),
    contenders: contenders.map(({ id, label }) => ({ id, label })),
    rounds,
    scenarios: measured.map(scenarioResult),
  }
}

function scenarioResult({ scenario, samples }: Measured): ScenarioResult {
  const ids = [...new Set(samples.map(({ contender }) => contender))]
  const snapshotOf = (id: ContenderId, figure: string) =>
    samples.filter(({ contender }) => contender === id).map(({ values }) => fourDigits(values[figure] ?? 0))
  return {
    id: scenario.id,
    title: scenario.title,
    figures: scenario.figures.map(figure => ({
      ...figure,
      values: Object.fromEntries(ids.map(id => [id, snapshotOf(id, figure.id)])),
    })),
  }
}

const fourDigits = (value: number): number => Number(value.toPrecision(4))

export function currentCommit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
  return `${git('rev-parse', '--short=10', 'HEAD')}${changed ? '+' : ''}`
}

/** Regressions against another git ref. */

import type { ContenderId } from '../contender.ts'
import type { FigureResult, Results } from '../results.ts'
import { ratioSpread } from '../statistics.ts'
import { NAMES } from './tables.ts'

/** Smaller changes of the median are noise. */
const NOISE = 0.05

const PAIRS = [
  ['ours-bun', 'against-bun'],
  ['ours', 'against'],
] as const

/** A line for each figure that was worse in every round, with a median change above noise. */
export function regressions(results: Results): readonly string[] {
  return results.scenarios.flatMap(({ title, figures }) =>
    figures.flatMap(figure =>
      PAIRS.flatMap(([of, to]) => {
        const worse = worsening(figure, of, to)
        const name = `${title}: ${figure.title}, ${NAMES[of]}`
        return worse === undefined ? [] : [`${name}, worse by a factor of ${worse.toFixed(2)}`]
      }),
    ),
  )
}

/** The factor by which ours is worse; undefined if it is not. */
function worsening({ id, better, values }: FigureResult, of: ContenderId, to: ContenderId): number | undefined {
  if (id === 'others') return undefined
  const [ours, before] = [values[of] ?? [], values[to] ?? []]
  const spread = better === 'less' ? ratioSpread(ours, before) : ratioSpread(before, ours)
  return spread !== undefined && spread.min > 1 && spread.median > 1 + NOISE ? spread.median : undefined
}

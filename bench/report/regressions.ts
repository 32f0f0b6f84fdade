/** Regressions against another git ref. */

import type { FigureResult, Results } from '../results.ts'
import { ratioSpread } from '../statistics.ts'

/** Smaller changes of the median are noise. */
const NOISE = 0.05

/** A line for each figure that was worse in every round, with a median change above noise. */
export function regressions(results: Results): readonly string[] {
  return results.scenarios.flatMap(({ title, figures }) =>
    figures.flatMap(figure => {
      const worse = worsening(figure)
      return worse === undefined ? [] : [`${title}: ${figure.title}, worse by a factor of ${worse.toFixed(2)}`]
    }),
  )
}

/** The factor by which ours is worse; undefined if it is not. */
function worsening({ id, better, values }: FigureResult): number | undefined {
  if (id === 'others') return undefined
  const [ours, before] = [values['ours'] ?? [], values['against'] ?? []]
  const spread = better === 'less' ? ratioSpread(ours, before) : ratioSpread(before, ours)
  return spread !== undefined && spread.min > 1 && spread.median > 1 + NOISE ? spread.median : undefined
}

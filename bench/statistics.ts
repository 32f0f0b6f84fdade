/** Medians and ratios of measurements. */

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** @throws RangeError without numbers. */
export function spreadOf(numbers: readonly number[]): Spread {
  if (numbers.length === 0) throw new RangeError('find the median: no numbers')
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] as number
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2
  return { min: at(0), median, max: at(sorted.length - 1) }
}

/** Spread of the ratios per round, so that noise in a round affects both sides of its ratio. */
export function ratioSpread(above: readonly number[], below: readonly number[]): Spread | undefined {
  const ratios = above.flatMap((value, round) => {
    const base = below[round]
    return base === undefined || base <= 0 ? [] : [value / base]
  })
  return ratios.length === 0 ? undefined : spreadOf(ratios)
}

/** Three significant digits, without exponent. */
export function shortNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 100) return value.toPrecision(3).replace(/\.0+$/, '')
  return Math.round(value).toLocaleString('en')
}

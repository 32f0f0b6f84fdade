/** Medians and ratios of measurements. */

/** Least, middle and greatest of some numbers. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** @throws RangeError when there is nothing. */
export function spreadOf(numbers: readonly number[]): Spread {
  if (numbers.length === 0) throw new RangeError('find the median: there are no numbers')
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] as number
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2
  return { min: at(0), median, max: at(sorted.length - 1) }
}

/** Spread of the ratios round by round, so that what disturbs a whole round disturbs both sides of a ratio. */
export function ratioSpread(above: readonly number[], below: readonly number[]): Spread | undefined {
  const ratios = above.flatMap((value, round) => {
    const base = below[round]
    return base === undefined || base <= 0 ? [] : [value / base]
  })
  return ratios.length === 0 ? undefined : spreadOf(ratios)
}

/** Three digits that count, without an exponent. */
export function shortNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 100) return value.toPrecision(3).replace(/\.0+$/, '')
  return Math.round(value).toLocaleString('en')
}

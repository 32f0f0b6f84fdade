/** Growth of a process over time. */

export interface ChurnSample {
  readonly minute: number
  readonly megabytes: number
  readonly descriptors: number
}

export interface Growth {
  readonly megabytesPerMinute: number
  /** From the end of the first part to the end. */
  readonly inAll: number
  /** What passes for noise. */
  readonly most: number
}

/** The first part of the time fills caches and compiles. */
const FIRST_PART = 0.3
/** Share of the mean that passes for noise: the collector's timing moves single values by more. */
const NOISE = 0.15

/** By the line that fits the samples best, those of the first part left out. */
export function growthOf(samples: readonly ChurnSample[]): Growth {
  const end = samples.at(-1)?.minute ?? 0
  const late = samples.filter(({ minute }) => minute >= end * FIRST_PART)
  const megabytesPerMinute = slope(late.map(({ minute, megabytes }) => [minute, megabytes]))
  const mean = late.reduce((sum, { megabytes }) => sum + megabytes, 0) / late.length
  return { megabytesPerMinute, inAll: megabytesPerMinute * end * (1 - FIRST_PART), most: mean * NOISE }
}

/** Slope of the line that fits the points best; 0 for fewer than two. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const top = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const bottom = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return bottom === 0 ? 0 : top / bottom
}

/** Durations in Go's syntax: `300ms`, `1.5h`, `2h45m`. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

const WHOLE = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g

// Go counts nanoseconds in 64 bits.
const MAX_MS = 2 ** 63 / 1e6

/** Milliseconds of a duration, exact to the nanosecond; undefined if `text` is not one. A bare `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0
  if (!WHOLE.test(text)) return undefined
  let sum = 0
  for (const [, count, unit] of text.matchAll(PART)) sum += Number(count) * (UNIT_MS[unit as string] as number)
  if (sum > MAX_MS) return undefined
  const ms = Math.round(sum * 1e6) / 1e6
  return text.startsWith('-') ? 0 - ms : ms
}

/** `1m30s`, `2s`, `250ms`: the shortest form of whole milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms % 1_000 !== 0) return `${ms}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const seconds = (ms % 60_000) / 1_000
  return `${hours ? `${hours}h` : ''}${minutes ? `${minutes}m` : ''}${seconds ? `${seconds}s` : ''}`
}

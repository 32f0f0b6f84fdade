/** Bytes and numbers for people. Pure. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const
const STEP = 1_000

/** Three digits or so with a decimal unit: `512 B`, `1.50 MB`. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0]
  // Half a unit of the last digit shown, so that 999,999 does not become 1000 kB.
  while (value >= STEP - 0.5 && unit < UNITS.length - 1) [value, unit] = [value / STEP, unit + 1]
  return `${unit === 0 ? value : digits(value)} ${UNITS[unit]}`
}

/** Bytes per second. */
export function formatByteRate(bytes: number, ms: number): string {
  return ms > 0 ? `${formatBytes(Math.round((bytes * 1_000) / ms))}/s` : '—'
}

/** Seconds with one decimal. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

function digits(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

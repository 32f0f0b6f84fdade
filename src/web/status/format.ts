/** Formats numbers for people, the same on the server and in the page. Pure. */

import type { Unit } from './status-report.ts'

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Whole numbers in full, so that they can be compared with the metrics; others short. */
export function formatValue(value: number, unit: Unit): string {
  if (unit === 'ms') return `${formatShort(value)} ms`
  if (unit === 'seconds') return `${formatShort(value)} s`
  const whole = groupDigits(Math.round(value))
  return unit === 'bytes' && value >= 1_024 ? `${whole} (${formatBytes(value)})` : whole
}

/** Such as `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let [value, at] = [bytes, 0]
  while (value >= 1_024 && at < BYTE_UNITS.length - 1) {
    value /= 1_024
    at++
  }
  return `${at === 0 ? Math.round(value) : formatShort(value)} ${BYTE_UNITS[at]}`
}

/** Three digits at most, before a thousand. */
export function formatShort(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return groupDigits(Math.round(value))
  return value.toFixed(value >= 10 ? 1 : 2)
}

/** Such as `3 d 4 h`, `5 min 6 s`: the two largest parts. */
export function formatAge(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

/** A node key as its first characters. */
export function shortKey(key: string): string {
  return key.replace('nodekey:', '').slice(0, 10)
}

function groupDigits(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** SVG chart of ratios of our relay to another: a bar for the median, a line from minimum to maximum. */

import type { ContenderId } from '../contender.ts'
import type { Results } from '../results.ts'
import { ratioSpread, type Spread } from '../statistics.ts'

const ROW = 18
const LABELS = 400
const PLOT = 400
const TOP = 44
/** Largest ratio shown; larger ones are cut off at the edge. */
const MAX_RATIO = 2

interface Bar {
  readonly label: string
  readonly spread: Spread
}

/** A bar for each figure where less is better. */
export function ratioChart(results: Results, to: ContenderId): string {
  const bars = barsOf(results, to)
  const height = TOP + bars.length * ROW + 12
  const label = results.contenders.find(({ id }) => id === to)?.label ?? to
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LABELS + PLOT + 60}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="8" y="16" font-weight="bold">derphttp / ${escapeXml(label)}: less is better, 1 means equal</text>`,
    ...[0, 0.5, 1, 1.5, 2].map(tick => gridLine(tick, height)),
    ...bars.map(drawBar),
    '</svg>',
  ].join('\n')}\n`
}

function barsOf(results: Results, to: ContenderId): readonly Bar[] {
  return results.scenarios.flatMap(({ title, figures }) =>
    figures
      .filter(({ id, better }) => better === 'less' && id !== 'others' && id !== 'lost' && id !== 'total')
      .flatMap(figure => {
        const spread = ratioSpread(figure.values['ours'] ?? [], figure.values[to] ?? [])
        return spread === undefined ? [] : [{ label: `${title}: ${figure.title}`, spread }]
      }),
  )
}

function gridLine(tick: number, height: number): string {
  const at = x(tick)
  const colour = tick === 1 ? '#444' : '#ddd'
  return [
    `<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 8}" stroke="${colour}"/>`,
    `<text x="${at}" y="${TOP - 12}" text-anchor="middle" fill="#444">${tick}</text>`,
  ].join('\n')
}

function drawBar({ label, spread }: Bar, row: number): string {
  const y = TOP + row * ROW
  const { min, median, max } = spread
  return [
    `<text x="${LABELS - 8}" y="${y + 12}" text-anchor="end" font-size="10">${escapeXml(label)}</text>`,
    `<rect x="${LABELS}" y="${y + 3}" width="${x(median) - LABELS}" height="12" fill="${median <= 1 ? '#2a7' : '#c63'}"/>`,
    `<line x1="${x(min)}" x2="${x(max)}" y1="${y + 9}" y2="${y + 9}" stroke="#222"/>`,
    `<text x="${LABELS + PLOT + 8}" y="${y + 13}">${median.toFixed(2)}</text>`,
  ].join('\n')
}

const x = (ratio: number) => Math.round(LABELS + (Math.min(ratio, MAX_RATIO) / MAX_RATIO) * PLOT)

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

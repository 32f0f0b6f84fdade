/** SVG chart of three relays against the newest original: a bar for the median, a line from minimum to maximum. */

import type { ContenderId } from '../contender.ts'
import type { FigureResult, Results } from '../results.ts'
import { ratioSpread, type Spread } from '../statistics.ts'

const BAR = 11
const GAP = 8
const LABELS = 400
const PLOT = 400
const TOP = 64
/** Largest ratio shown; larger ones are cut off at the edge. */
const MAX_RATIO = 2

/** Bars of each figure, in order. */
const SERIES = [
  { id: 'ours-bun', name: 'derphttp on Bun', colour: '#174' },
  { id: 'ours', name: 'derphttp on Node', colour: '#6b8' },
  { id: 'stock', name: 'reference release of the original', colour: '#c96' },
] as const satisfies readonly { id: ContenderId; name: string; colour: string }[]

interface Group {
  readonly label: string
  readonly bars: readonly { readonly colour: string; readonly spread: Spread }[]
}

/** A group of bars for each figure where less is better. */
export function ratioChart(results: Results): string {
  const groups = results.scenarios.flatMap(({ title, figures }) =>
    figures
      .filter(({ id, better }) => better === 'less' && id !== 'others' && id !== 'lost' && id !== 'total')
      .flatMap(figure => groupOf(title, figure) ?? []),
  )
  const tops = groups.map((_, at) => TOP + heightOf(groups.slice(0, at)))
  const height = TOP + heightOf(groups) + 8
  const newest = results.contenders.find(({ id }) => id === 'newest')?.label ?? 'the newest original'
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LABELS + PLOT + 60}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="8" y="16" font-weight="bold">Ratios to ${escapeXml(newest)}: less is better, 1 means equal</text>`,
    ...SERIES.map(legend),
    ...[0, 0.5, 1, 1.5, 2].map(tick => gridLine(tick, height)),
    ...groups.map((group, at) => drawGroup(group, tops[at] as number)),
    '</svg>',
  ].join('\n')}\n`
}

/** Where the newest is not measured, as it lacks what is measured, the reference is the base. */
function groupOf(title: string, { title: name, values }: FigureResult): Group | undefined {
  const base = values.newest === undefined ? 'stock' : 'newest'
  const bars = SERIES.flatMap(({ id, colour }) => {
    const spread = id === base ? undefined : ratioSpread(values[id] ?? [], values[base] ?? [])
    return spread === undefined ? [] : [{ colour, spread }]
  })
  const label = `${title}: ${name}${base === 'newest' ? '' : ' (to the reference)'}`
  return bars.length === 0 ? undefined : { label, bars }
}

function heightOf(groups: readonly Group[]): number {
  return groups.reduce((sum, { bars }) => sum + bars.length * BAR + GAP, 0)
}

function legend({ name, colour }: (typeof SERIES)[number], at: number): string {
  const left = 8 + at * 160
  return [
    `<rect x="${left}" y="26" width="10" height="10" fill="${colour}"/>`,
    `<text x="${left + 15}" y="35">${name}</text>`,
  ].join('\n')
}

function gridLine(tick: number, height: number): string {
  const at = x(tick)
  const colour = tick === 1 ? '#444' : '#ddd'
  return [
    `<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 8}" stroke="${colour}"/>`,
    `<text x="${at}" y="${TOP - 12}" text-anchor="middle" fill="#444">${tick}</text>`,
  ].join('\n')
}

function drawGroup({ label, bars }: Group, top: number): string {
  const middle = top + (bars.length * BAR) / 2 + 4
  const text = `<text x="${LABELS - 8}" y="${middle}" text-anchor="end" font-size="10">${escapeXml(label)}</text>`
  return [text, ...bars.map(({ colour, spread }, at) => drawBar(colour, spread, top + at * BAR))].join('\n')
}

function drawBar(colour: string, { min, median, max }: Spread, y: number): string {
  return [
    `<rect x="${LABELS}" y="${y}" width="${x(median) - LABELS}" height="${BAR - 2}" fill="${colour}"/>`,
    `<line x1="${x(min)}" x2="${x(max)}" y1="${y + 4.5}" y2="${y + 4.5}" stroke="#222"/>`,
    `<text x="${LABELS + PLOT + 8}" y="${y + 9}" font-size="10">${median.toFixed(2)}</text>`,
  ].join('\n')
}

const x = (ratio: number) => Math.round(LABELS + (Math.min(ratio, MAX_RATIO) / MAX_RATIO) * PLOT)

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

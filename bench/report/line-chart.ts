/** SVG line charts, readable in light and dark. */

const WIDTH = 720
const HEIGHT = 400
const LEFT = 76
const RIGHT = 220
const TOP = 44
const BOTTOM = 52
const PLOT_WIDTH = WIDTH - LEFT - RIGHT
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM
/** Least distance of the names of two lines. */
const NAME_HEIGHT = 15

const COLOURS = ['#1a7f37', '#c2410c', '#1f6feb', '#8250df']
const DARK_COLOURS = ['#3fb950', '#f0883e', '#79c0ff', '#d2a8ff']

export interface Axis {
  readonly label: string
  readonly isLog?: boolean
  /** The first and the last are the ends of the axis. */
  readonly ticks: readonly number[]
}

export type Point = readonly [x: number, y: number]

export interface Line {
  readonly name: string
  readonly points: readonly Point[]
}

export interface LineChart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
  /** A horizontal line. */
  readonly limit?: { readonly y: number; readonly name: string }
}

export function lineChart({ title, x, y, lines, limit }: LineChart): string {
  const atX = (value: number) => LEFT + shareOf(x, value) * PLOT_WIDTH
  const atY = (value: number) => TOP + (1 - shareOf(y, value)) * PLOT_HEIGHT
  const names = placeNames(lines.map(({ points }) => atY(lastShown(points, y))))
  const draw = ({ name, points }: Line, n: number) => [
    `<polyline class="s${n}" clip-path="url(#plot)" points="${points.map(([px, py]) => `${round(atX(px))},${round(atY(py))}`).join(' ')}"/>`,
    `<text class="n${n}" x="${LEFT + PLOT_WIDTH + 8}" y="${round(names[n] as number) + 4}">${escapeXml(name)}</text>`,
  ]
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="${escapeXml(title)}">`,
    `<style>${style(lines.length)}</style>`,
    `<clipPath id="plot"><rect x="${LEFT}" y="${TOP}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}"/></clipPath>`,
    '<rect class="ground" width="100%" height="100%"/>',
    `<text x="${LEFT}" y="22" font-weight="bold">${escapeXml(title)}</text>`,
    ...x.ticks.map(tick => tickLine(round(atX(tick)), TOP, round(atX(tick)), TOP + PLOT_HEIGHT)),
    ...x.ticks.map(tick => text(round(atX(tick)), TOP + PLOT_HEIGHT + 18, 'middle', number(tick))),
    ...y.ticks.map(tick => tickLine(LEFT, round(atY(tick)), LEFT + PLOT_WIDTH, round(atY(tick)))),
    ...y.ticks.map(tick => text(LEFT - 8, round(atY(tick)) + 4, 'end', number(tick))),
    text(LEFT + PLOT_WIDTH / 2, HEIGHT - 12, 'middle', x.label),
    `<text transform="translate(16 ${TOP + PLOT_HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escapeXml(y.label)}</text>`,
    ...(limit === undefined ? [] : limitLine(round(atY(limit.y)), limit.name)),
    ...lines.flatMap(draw),
    '</svg>',
  ].join('\n')}\n`
}

/** Where on the axis a value is, from 0 to 1. */
function shareOf({ ticks, isLog = false }: Axis, value: number): number {
  const scale = (number: number) => (isLog ? Math.log(Math.max(number, Number.MIN_VALUE)) : number)
  const [from, to] = [scale(ticks[0] as number), scale(ticks.at(-1) as number)]
  return (scale(value) - from) / (to - from)
}

/** The last value of a line within the axis. */
function lastShown(points: readonly Point[], { ticks }: Axis): number {
  const [least, most] = [ticks[0] as number, ticks.at(-1) as number]
  return Math.min(most, Math.max(least, points.at(-1)?.[1] ?? least))
}

/** Heights of names near their lines, without overlaps. */
function placeNames(wanted: readonly number[]): readonly number[] {
  const placed = [...wanted]
  const order = wanted.map((_, at) => at).sort((a, b) => (wanted[a] as number) - (wanted[b] as number))
  for (const [n, at] of order.entries()) {
    const above = order[n - 1]
    if (above !== undefined) placed[at] = Math.max(placed[at] as number, (placed[above] as number) + NAME_HEIGHT)
  }
  return placed
}

function style(count: number): string {
  const colours = (all: readonly string[]) =>
    all.slice(0, count).map((colour, n) => `.s${n}{stroke:${colour}}.n${n}{fill:${colour}}`)
  const light = ['.ground{fill:#fff}', 'text{fill:#1f2328}', '.grid{stroke:#d1d9e0}', '.limit{stroke:#cf222e}']
  const dark = ['.ground{fill:#0d1117}', 'text{fill:#f0f6fc}', '.grid{stroke:#3d444d}', '.limit{stroke:#ff7b72}']
  return [
    'polyline{fill:none;stroke-width:2.5}',
    '.limit{stroke-dasharray:6 4;stroke-width:1.5}',
    ...light,
    ...colours(COLOURS),
    `@media (prefers-color-scheme:dark){${[...dark, ...colours(DARK_COLOURS)].join('')}}`,
  ].join('')
}

function limitLine(y: number, name: string): readonly string[] {
  return [
    `<line class="limit" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y}" y2="${y}"/>`,
    text(LEFT + 6, y - 5, 'start', name),
  ]
}

function tickLine(x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="grid" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`
}

function text(x: number, y: number, anchor: string, content: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(content)}</text>`
}

const round = (value: number) => Math.round(value * 10) / 10

const number = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 })

const escapeXml = (value: string) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

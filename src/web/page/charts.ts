/** Charts of the last minutes: the history of the numbers in the tables. */

import uPlot from 'uplot'
import { formatBytes, formatShort } from '../status/format.ts'
import type { ChartPoint } from '../status/status-report.ts'
import { make, setText } from './dom.ts'

/** The number of points that the server keeps. */
const MAX_POINTS = 300
const HEIGHT = 150

type Value = (point: ChartPoint) => number | null

interface ChartPlan {
  readonly title: string
  readonly format: (value: number) => string
  /** Steps of the vertical axis. Default: decimal ones. */
  readonly steps?: number[]
  readonly lines: readonly (readonly [label: string, value: Value])[]
}

const perSecond = (value: number) => `${formatShort(value)}/s`
const bytesPerSecond = (value: number) => `${formatBytes(value)}/s`
const milliseconds = (value: number) => `${formatShort(value)} ms`

/** 1, 2, 4 … bytes to a tebibyte. */
const BINARY_STEPS = Array.from({ length: 41 }, (_, power) => 2 ** power)

const PLANS: readonly ChartPlan[] = [
  {
    title: 'Packets',
    format: perSecond,
    lines: [
      ['received', ({ packetsReceived }) => packetsReceived],
      ['sent', ({ packetsSent }) => packetsSent],
      ['dropped', ({ packetsDropped }) => packetsDropped],
    ],
  },
  {
    title: 'Bytes',
    format: bytesPerSecond,
    steps: BINARY_STEPS,
    lines: [
      ['received', ({ bytesReceived }) => bytesReceived],
      ['sent', ({ bytesSent }) => bytesSent],
    ],
  },
  {
    title: 'Delays',
    format: milliseconds,
    lines: [
      ['in queues', ({ queueAgeMs }) => queueAgeMs],
      ['of the event loop', ({ eventLoopDelayMs }) => eventLoopDelayMs],
    ],
  },
  {
    title: 'Clients',
    format: formatShort,
    lines: [
      ['connected', ({ clients }) => clients],
      ['logins a second', ({ logins }) => logins],
    ],
  },
]

export class Charts {
  readonly #charts: { readonly plan: ChartPlan; readonly figure: HTMLElement; readonly text: HTMLElement }[] = []
  #plots: uPlot[] = []
  #points: ChartPoint[] = []
  /** Charts that do not show the last point yet, by index. */
  readonly #stale = new Set<number>()

  constructor(home: HTMLElement) {
    for (const plan of PLANS) {
      const text = make('figcaption')
      const figure = make('figure', {}, make('h2', {}, plan.title), text)
      this.#charts.push({ plan, figure, text })
    }
    home.replaceChildren(...this.#charts.map(({ figure }) => figure))
    home.hidden = false
    this.#draw()
    new ResizeObserver(() => this.#resize()).observe(home)
    // Line colours come from the style sheet, and change with the colour scheme.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw())
  }

  /** The history before the page was opened. */
  begin(points: readonly ChartPoint[]): void {
    this.#points = points.slice(-MAX_POINTS)
    this.#show()
  }

  add(point: ChartPoint): void {
    // The first report of a stream may repeat the last point.
    if (point.atMs <= (this.#points.at(-1)?.atMs ?? 0)) return
    this.#points.push(point)
    if (this.#points.length > MAX_POINTS) this.#points.shift()
    this.#show()
  }

  #show(): void {
    if (this.#stale.size === 0) requestAnimationFrame(() => this.#drawNext())
    for (const [at, { plan, text }] of this.#charts.entries()) {
      this.#stale.add(at)
      showValues(text, plan, this.#points.at(-1))
    }
  }

  /** One chart per frame, so that no frame takes long; a hidden page has no frames. */
  #drawNext(): void {
    const [at = -1] = this.#stale
    const plan = this.#charts[at]?.plan
    this.#stale.delete(at)
    if (plan !== undefined) this.#plots[at]?.setData(dataOf(plan, this.#points))
    if (this.#stale.size > 0) requestAnimationFrame(() => this.#drawNext())
  }

  #draw(): void {
    for (const plot of this.#plots) plot.destroy()
    this.#plots = this.#charts.map(({ plan, figure, text }) => {
      const plot = new uPlot(optionsOf(plan, widthOf(figure)), dataOf(plan, this.#points))
      // The caption says what it shows.
      plot.root.setAttribute('aria-hidden', 'true')
      figure.insertBefore(plot.root, text)
      return plot
    })
  }

  #resize(): void {
    for (const [at, { figure }] of this.#charts.entries()) {
      const width = widthOf(figure)
      const plot = this.#plots[at]
      if (plot !== undefined && plot.width !== width) plot.setSize({ width, height: HEIGHT })
    }
  }
}

function widthOf(figure: HTMLElement): number {
  return Math.max(200, figure.clientWidth)
}

function dataOf({ lines }: ChartPlan, points: readonly ChartPoint[]): uPlot.AlignedData {
  return [points.map(({ atMs }) => atMs / 1_000), ...lines.map(([, value]) => points.map(value))]
}

/** The legend with the current values. */
function showValues(home: HTMLElement, { lines, format }: ChartPlan, point: ChartPoint | undefined): void {
  if (home.children.length === 0) {
    home.append(...lines.map((_, at) => make('span', { className: `line${at + 1}` })))
  }
  for (const [at, [label, value]] of lines.entries()) {
    const now = point === undefined ? null : value(point)
    const span = home.children[at]
    if (span !== undefined) setText(span, `${label} ${now === null ? '–' : format(now)}`)
  }
}

const clockTime = (seconds: number) => new Date(seconds * 1_000).toLocaleTimeString([], { hour12: false })

function optionsOf({ lines, format, steps }: ChartPlan, width: number): uPlot.Options {
  const styles = getComputedStyle(document.documentElement)
  const colour = (name: string) => styles.getPropertyValue(name).trim()
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    axes: [
      { ...axis, space: 90, values: (_plot, values) => values.map(clockTime) },
      { ...axis, size: 84, values: (_plot, values) => values.map(format), ...(steps && { incrs: steps }) },
    ],
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
    series: [
      {},
      ...lines.map(([label], at) => ({
        label,
        stroke: colour(`--line${at + 1}`),
        width: 1.5,
        // Of two lines on top of each other both are visible.
        dash: at === 1 ? [6, 4] : [],
        points: { show: false },
      })),
    ],
  }
}

import { expect, test } from 'vitest'
import { lineChart } from './line-chart.ts'

const CHART = {
  title: 'a < b',
  x: { label: 'relays', isLog: true, ticks: [1, 10, 100] },
  y: { label: 'GB', ticks: [0, 5, 10] },
  limit: { y: 5, name: 'a node' },
  lines: [
    {
      name: 'mesh',
      points: [
        [1, 0],
        [10, 5],
        [100, 20],
      ],
    },
    {
      name: 'region',
      points: [
        [1, 0],
        [100, 10],
      ],
    },
  ],
} as const

const svg = lineChart(CHART)

test('lines are where their values are, on a logarithmic axis as well', () => {
  const [first, second] = [...svg.matchAll(/points="([^"]+)"/g)].map(([, points = '']) =>
    points.split(' ').map(point => point.split(',').map(Number)),
  )
  const [[left, bottom], [middle, half], [right, above]] = first as [number[], number[], number[]]
  expect(middle).toBeCloseTo(((left as number) + (right as number)) / 2, 0)
  expect((bottom as number) - (half as number)).toBeCloseTo(((bottom as number) - (above as number)) / 4, 0)
  expect(second?.at(-1)?.[1]).toBe(44)
})

test('names of lines that end together do not overlap', () => {
  const heights = [...svg.matchAll(/class="n\d" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y))
  expect(Math.abs((heights[0] as number) - (heights[1] as number))).toBeGreaterThanOrEqual(15)
})

test('it has its own colours for light and dark, and escaped texts', () => {
  expect(svg).toContain('prefers-color-scheme:dark')
  expect(svg).toContain('>a &lt; b</text>')
  expect(svg).toContain('>a node</text>')
})

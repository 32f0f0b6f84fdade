import { expect, test } from 'vitest'
import { ratioChart } from './chart.ts'
import { fillDocument, fillReadme, readDocument } from './document.ts'

const { results, chart, document, readme } = readDocument()

test('docs/understand/performance.md has the tables of the committed results', () => {
  expect(fillDocument(document, results)).toBe(document)
})

test('README.md has the summary of the committed results', () => {
  expect(fillReadme(readme, results)).toBe(readme)
})

test('the chart shows the committed results', () => {
  expect(ratioChart(results)).toBe(chart)
})

test('other results change the document, and a missing marker is an error', () => {
  expect(fillDocument(document, { ...results, date: 'another' })).toContain('another')
  expect(() => fillDocument(document.replace('<!-- bench:aims -->', ''), results)).toThrow(/markers for "aims"/)
})

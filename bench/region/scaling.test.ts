import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readScaling, scalingFiles } from './scaling.ts'
import { errorOf } from './verify.ts'

const results = readScaling()

test('docs/understand/scaling.md and its plots show the committed results', () => {
  for (const [path, text] of scalingFiles(results)) expect([path, readFileSync(path, 'utf8')]).toEqual([path, text])
})

test('the error of a prediction is relative to the median of the real runs', () => {
  const check = { relays: 2, id: 'x', title: 'x', unit: 's', predicted: 12, real: [9, 10, 100] }
  expect(errorOf(check)).toBeCloseTo(0.2)
})

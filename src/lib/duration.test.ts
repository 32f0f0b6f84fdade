import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

test.each([
  ['0', 0],
  ['-0', 0],
  ['-0s', 0],
  ['300ms', 300],
  ['1.5h', 5_400_000],
  ['2h45m', 9_900_000],
  ['5.s', 5_000],
  ['.5s', 500],
  ['01s', 1_000],
  ['-1m30s', -90_000],
  ['+2s', 2_000],
  ['1h0.5s1us', 3_600_500.001],
  ['1µs', 0.001],
  ['1μs', 0.001],
  ['1ns', 1e-6],
  ['1.001s', 1_001],
  ['2562047h', 2_562_047 * 3_600_000],
])('parseDuration reads %s as Go does', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '3', '00', '-', 's', '.s', '1d', '1e3s', ' 1s', '1s ', '1h-2m', '1S', '1,5s', '2562048h', 'Infinitys'])(
  'parseDuration refuses %j as Go does',
  text => {
    expect(parseDuration(text)).toBeUndefined()
  },
)

test.each([
  [0, '0s'],
  [250, '250ms'],
  [2_000, '2s'],
  [90_000, '1m30s'],
  [90_500, '90500ms'],
  [3_600_000, '1h'],
  [3_601_000, '1h1s'],
  [100_000_000, '27h46m40s'],
  [-90_000, '-1m30s'],
  [-250, '-250ms'],
])('formatDuration writes %i ms as %s, which parseDuration reads back', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
  expect(parseDuration(text)).toBe(ms)
})

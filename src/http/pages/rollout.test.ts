import { expect, test } from 'vitest'
import { isSelected, rolloutNumber } from './rollout.ts'

// rand.New(rand.NewPCG(first eight bytes, last eight bytes of As16, little-endian)).Float64() of Go 1.26, math/rand/v2.
test.each([
  ['1.2.3.4', 0.06865797708372512],
  ['::ffff:1.2.3.4', 0.06865797708372512],
  ['1.2.3.5', 0.017460060112442166],
  ['1.2.3.6', 0.8582550888355482],
  ['192.0.2.255', 0.027544758213887577],
  ['0.0.0.0', 0.4768064192646365],
  ['255.255.255.255', 0.8687374316443199],
  ['2001:db8::1', 0.17365074425987426],
  ['fe80::1', 0.33767084875785625],
  ['::', 0.9999275824802834],
  ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 0.07294207591835833],
])('rolloutNumber of %s equals that of Go (P-164)', (address, number) => {
  expect(rolloutNumber(address)).toBe(number)
})

test('isSelected selects none, all, or addresses with a number below the share (P-164)', () => {
  const never = () => {
    throw new Error('random: unexpected call')
  }
  expect([isSelected('1.2.3.4', 0, never), isSelected(undefined, 0, never)]).toEqual([false, false])
  expect([isSelected('1.2.3.6', 1, never), isSelected(undefined, 1, never)]).toEqual([true, true])
  expect(['1.2.3.4', '1.2.3.6', 'no address'].map(address => isSelected(address, 0.5, never))).toEqual([
    true,
    false,
    false,
  ])
  expect(isSelected(undefined, 0.5, never)).toBe(false)
})

test('isSelected is random for loopback (P-164)', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1']) {
    expect([0.49, 0.5].map(number => isSelected(address, 0.01, () => number))).toEqual([true, false])
  }
})

test('isSelected selects about the share of all addresses (P-164)', () => {
  let reached = 0
  for (let n = 0; n < 20_000; n++) if (isSelected(`1.2.${n >> 8}.${n & 255}`, 0.3, () => 0)) reached++
  expect(reached / 20_000).toBeCloseTo(0.3, 1)
})

// The fuzzer itself: it gets behind comparisons, makes findings small, and bounds runs.

import { expect, test } from 'vitest'
import { readFuzzArguments } from '../../fuzz/arguments.ts'
import { Campaign } from '../../fuzz/engine/campaign.ts'
import { coverage } from '../../fuzz/engine/coverage.ts'
import { createCurrentInput, readCurrentInput, writeCurrentInput } from '../../fuzz/engine/current-input.ts'
import { satisfy } from '../../fuzz/engine/mutate.ts'
import { type FuzzTarget, must, mustAgree } from '../../fuzz/engine/target.ts'

const places = coverage.allocate(4, ['unused word'])
const reach = (place: number) => {
  places[place] = (places[place] ?? 0) + 1
}

/** As instrument.ts would have it: behind a byte and a text. */
const guarded: FuzzTarget = {
  about: '',
  seeds: [Buffer.from('..........')],
  run: input => {
    reach(2)
    if (!coverage.same(input[0], 0x44)) return 'no'
    reach(0)
    const text = Buffer.from(input.subarray(1, 7)).toString('latin1')
    if (!coverage.same(text, 'sesame')) return 'nearly'
    reach(1)
    must(input.length < 8, 'inputs are short')
    return 'open'
  },
}

const campaign = (target: FuzzTarget, seconds = 60) => new Campaign(target, { seconds, seed: 1, inputs: [] }).run()

test('an input that passes two comparisons is found and made as small as it can be', async () => {
  const { finding, runs, inputs } = await campaign(guarded)
  expect(finding?.message).toBe('Violation: inputs are short')
  expect(Buffer.from(finding?.input ?? []).toString('latin1')).toMatch(/^Dsesame.$/s)
  expect(runs).toBeGreaterThan(inputs.length)
})

test('a rejected run is a finding, and one that needs the processor for long', async () => {
  const rejecting: FuzzTarget = { ...guarded, run: async () => mustAgree('one', 1, 2) as unknown as string }
  expect((await campaign(rejecting)).finding?.message).toBe('Violation: one: 1 is not 2')
  const slow: FuzzTarget = {
    ...guarded,
    seeds: [Uint8Array.of(7)],
    run: input => {
      const usedMs = () => process.threadCpuUsage().user / 1_000
      for (const endMs = usedMs() + (input.length > 0 ? 600 : 0); usedMs() < endMs; );
      return ''
    },
  }
  expect((await campaign(slow)).finding?.message).toMatch(/work without bounds/)
})

test('a campaign without findings keeps the inputs that reach something', async () => {
  const harmless: FuzzTarget = { ...guarded, seeds: [Buffer.from('D......'), Buffer.from('Dsesame')] }
  const { finding, inputs, reached } = await campaign({ ...harmless, maxBytes: 7 }, 1)
  expect(finding).toBeUndefined()
  expect(inputs.map(input => Buffer.from(input).toString())).toEqual(['', 'D......', 'Dsesame'])
  expect(reached).toBe(3)
})

test('comparisons are satisfied in text, in bytes and in numbers of two and four bytes', () => {
  const made = (input: string, seen: number | string, wanted: number | string) =>
    Array.from(satisfy(Buffer.from(input, 'latin1'), [{ seen, wanted }]), bytes =>
      Buffer.from(bytes).toString('latin1'),
    )
  expect(made('GET /x', '/x', '/derp')).toEqual(['GET /derp'])
  expect(made('a\x05', 5, 300)).toEqual([])
  expect(made('a\0\x05', 5, 300)).toEqual(['a\x01\x2c'])
  expect(made('n=12', 12, 700)).toEqual(['n=700'])
})

test('the input that is run can be read by another thread', () => {
  const current = createCurrentInput()
  writeCurrentInput(current, Uint8Array.of(1, 2, 3))
  writeCurrentInput(current, Uint8Array.of(4))
  expect(readCurrentInput(current)).toEqual({ run: 2, input: Uint8Array.of(4) })
})

test('arguments of the fuzzer', () => {
  const read = (...args: string[]) => readFuzzArguments(args, ['a', 'b'])
  expect(read('a', '--seconds', '5')).toMatchObject({ targets: ['a'], seconds: 5, jobs: 1, save: false })
  expect(read('--all', '--total', '30', '--jobs', '2')).toMatchObject({ targets: ['a', 'b'], seconds: 30 })
  expect(read('--stock')).toMatchObject({ targets: [], stock: true, seconds: 60 })
  expect(() => read('c')).toThrow('choose target "c": there is none')
  expect(() => read()).toThrow('choose targets')
})

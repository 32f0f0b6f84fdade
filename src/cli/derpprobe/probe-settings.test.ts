import { expect, test } from 'vitest'
import { parseFlags } from '../go-flags.ts'
import { DERPPROBE_FLAGS } from './probe-flags.ts'
import { probeSettings } from './probe-settings.ts'

async function isSpread(...args: string[]): Promise<boolean> {
  const parsed = parseFlags(DERPPROBE_FLAGS, args)
  if (parsed.help) throw new Error('no values')
  return (await probeSettings(parsed.values, {})).isSpread
}

test('probeSettings spreads first runs, except for results of one run (D-148)', async () => {
  expect(await isSpread()).toBe(true)
  expect(await isSpread('-spread=false')).toBe(false)
  expect(await isSpread('-once')).toBe(false)
})

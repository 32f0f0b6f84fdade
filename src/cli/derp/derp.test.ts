import { expect, test } from 'vitest'
import { testIo } from '../../../test/support/test-io.ts'
import { versionLine } from '../version.ts'
import { main } from './derp.ts'

test.each([
  ['-version', `${versionLine()}\n`],
  ['--version', `${versionLine()}\n`],
  ['-help', 'Usage: derp [options] [command]'],
])('derp takes %s, as derper and derpprobe do', async (option, text) => {
  const io = testIo()
  expect(await main([option], io)).toBe(0)
  expect(io.stdout.startsWith(text)).toBe(true)
})

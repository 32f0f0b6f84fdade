import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { GO_MODULE, hasGo } from '../support/go-tools.ts'

const run = promisify(execFile)

describe.skipIf(!hasGo)('Go programs of the interop tests', () => {
  test('golden vectors match the stock code', async () => {
    await run('go', ['vet', './...'], { cwd: GO_MODULE })
    const { stdout } = await run('go', ['test', './...'], { cwd: GO_MODULE })
    expect(stdout).toMatch(/^ok\s/m)
  })
})

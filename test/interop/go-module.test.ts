import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { GO_MODULE, hasGo } from '../support/go-tools.ts'
import { RUNS_ALL } from '../support/selection.ts'

const run = promisify(execFile)

describe.skipIf(!hasGo)('Go programs of the interop tests', () => {
  test('golden vectors match the stock code', async () => {
    if (RUNS_ALL) await run('go', ['vet', './...'], { cwd: GO_MODULE })
    const { stdout } = await run('go', ['test', './...'], { cwd: GO_MODULE })
    expect(stdout).toMatch(/^ok\s/m)
  })
})

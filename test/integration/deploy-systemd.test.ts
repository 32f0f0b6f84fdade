import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readText } from '../support/deploy-files.ts'

/** Maximum exposure of the unit, in tenths; without its restrictions it is 96. */
const MAX_EXPOSURE = 20

const hasAnalyze = lookForAnalyze()

function lookForAnalyze(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI']) throw new Error('find systemd-analyze: not installed, and CI may skip nothing')
    process.stderr.write('the systemd unit is not checked: systemd-analyze is not installed\n')
    return false
  }
}

describe.skipIf(!hasAnalyze)('deploy/systemd/derper.service', () => {
  let directory: string
  let unit: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'derper-unit-'))
    unit = join(directory, 'derper.service')
    // The unit must name an existing program, such as Node.
    writeFileSync(unit, readText('deploy/systemd/derper.service').replace('/usr/local/bin/derper', process.execPath))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  const analyze = (...args: string[]) => execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: 'pipe' })

  test('systemd accepts every line', () => {
    expect(analyze('verify', '--recursive-errors=no', unit)).toBe('')
  })

  test('its exposure is low', () => {
    expect(analyze('security', '--no-pager', '--offline=true', `--threshold=${MAX_EXPOSURE}`, unit)).toMatch(
      /Overall exposure level for derper.service: [01]\.\d OK/,
    )
  })
})

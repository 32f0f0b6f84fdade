import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readText } from '../support/deploy-files.ts'
import { hasAnalyze } from '../support/systemd.ts'

/** Maximum exposure of the unit, in tenths; without its restrictions it is 96. */
const MAX_EXPOSURE = 20

/** Lines of a unit, without comments. */
const linesOf = (path: string) =>
  readText(path)
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))

test('the unit for upgrades in place differs from the other one only in that (P-177)', () => {
  const [one, other] = ['deploy/systemd/derper.service', 'deploy/systemd/derper@.service'].map(linesOf)
  expect(one?.filter(line => other?.includes(line) !== true)).toEqual([
    'Description=DERP relay',
    'ExecStart=/usr/local/bin/derper',
  ])
  expect(other?.filter(line => one?.includes(line) !== true)).toEqual([
    'Description=DERP relay (%i)',
    'ExecStart=/usr/local/bin/derper -takeover -control-socket=%t/derper/control.sock',
    'RuntimeDirectory=derper',
    'RuntimeDirectoryMode=0700',
    'RuntimeDirectoryPreserve=yes',
  ])
})

describe.skipIf(!hasAnalyze).each(['derper', 'derper@', 'derpprobe'])('deploy/systemd/%s.service', name => {
  let directory: string
  let unit: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'derper-unit-'))
    unit = join(directory, `${name}.service`)
    // The unit must name an existing program, such as Node.
    writeFileSync(
      unit,
      readText(`deploy/systemd/${name}.service`).replace(/\/usr\/local\/bin\/derp\w+/, process.execPath),
    )
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  const analyze = (...args: string[]) => execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: 'pipe' })

  test('systemd accepts every line', () => {
    // The manual pages that the unit names need not be installed here.
    expect(analyze('verify', '--man=no', '--recursive-errors=no', unit)).toBe('')
  })

  test('its exposure is low', () => {
    expect(analyze('security', '--no-pager', '--offline=true', `--threshold=${MAX_EXPOSURE}`, unit)).toMatch(
      /Overall exposure level for derp\w+@?\S*.service: [01]\.\d OK/,
    )
  })
})

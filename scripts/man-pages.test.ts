import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DERP_MAP_FLAGS } from '../src/cli/derper/derp-map.ts'
import { DERPER_FLAGS } from '../src/cli/derper/derper-flags.ts'
import { DERPPROBE_FLAGS } from '../src/cli/derpprobe/probe-flags.ts'
import { manPages } from './man-pages.ts'

const pages = manPages()
/** As a reader sees it, more or less. */
const textOf = (name: string) => (pages.get(name) ?? '').replaceAll('\\-', '-').replaceAll(/\\f[BIR]/g, '')

test.each([
  ['derper.8', { ...DERPER_FLAGS, ...DERP_MAP_FLAGS }],
  ['derpprobe.8', DERPPROBE_FLAGS],
])('%s has each flag of the command', (name, flags) => {
  const shown = Array.from(textOf(name).matchAll(/^\.TP\n-(\S+)/gm), ([, flag]) => flag)
  expect(new Set(shown)).toEqual(new Set(Object.keys(flags)))
  expect(shown).toHaveLength(Object.keys(flags).length)
})

test('derper.8 names no flag that there is not', () => {
  const known = { ...DERPER_FLAGS, ...DERP_MAP_FLAGS }
  const named = Array.from(
    textOf('derper.8').matchAll(/(?<=^|\s)-([a-z][a-z-]*[a-z]|[ac](?=\s))/gm),
    ([, flag = '']) => flag,
  )
  expect(named).toContain('drain-time')
  expect(named.filter(flag => !Object.hasOwn(known, flag))).toEqual([])
})

test('derper.8 has the forms of the command', () => {
  const [, forms = ''] = /\.SH "SYNOPSIS"\n\.nf\n([^.]*)/.exec(textOf('derper.8')) ?? []
  expect(forms).toBe('derper [flags]\nderper check-config [flags]\nderper health [flags]\nderper derp-map [flags]\n')
})

test('derp.1 has subcommands down to the last with their options, and none that are hidden', () => {
  const page = textOf('derp.1')
  const titles = Array.from(page.matchAll(/^\.SS "derp ([a-z ]+[a-z])/gm), ([, title]) => title)
  expect(titles).toEqual(expect.arrayContaining(['doctor', 'map make', 'map diff', 'cat', 'key']))
  expect(titles).not.toContain('map')
  expect(titles).not.toContain('bench-worker')
  expect(page).toMatch(/^\.TP\n--key-file files\.\.\.\n/m)
  expect(page).toContain('Exit codes: 0 no failures')
})

const hasMan = spawnSync('man', ['--version']).status === 0
if (!hasMan && process.env['CI']) throw new Error('find man: not installed, and CI may skip nothing')

test.skipIf(!hasMan)('man warns of nothing in the pages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'man-'))
  try {
    for (const [name, text] of pages) {
      const path = join(folder, name)
      writeFileSync(path, text)
      const { status, stderr } = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', path], {
        encoding: 'utf8',
      })
      expect({ name, status, stderr }).toEqual({ name, status: 0, stderr: '' })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

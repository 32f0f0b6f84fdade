import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DERPER_FLAGS } from '../src/cli/derper/derper-flags.ts'
import type { DerperFlag } from '../src/cli/derper/flags/derper-flag.ts'
import { readFlags } from '../src/cli/flag-sources.ts'
import { configSchema, probeSchema, withFlagTables, withProbeFlags } from './flag-docs.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const flags: [string, DerperFlag][] = Object.entries(DERPER_FLAGS)

test('docs/operate/flags.md and docs/derper.schema.json match the flags (to update: node scripts/write-flag-docs.ts)', () => {
  const page = read('docs/operate/flags.md')
  expect(page).toBe(withFlagTables(page))
  expect(read('docs/derper.schema.json')).toBe(configSchema())
  for (const [name, { help }] of flags) {
    expect(page).toContain(`\`-${name}\``)
    expect(page).toContain(help)
  }
})

test('docs/operate/probe.md and docs/derpprobe.schema.json say what derpprobe takes and gives (to update: node scripts/write-flag-docs.ts)', () => {
  const tools = read('docs/operate/probe.md')
  expect(tools).toBe(withProbeFlags(tools))
  expect(read('docs/derpprobe.schema.json')).toBe(probeSchema())
})

test.each(flags)('the test listed for -%s mentions it', (name, { test: file }) => {
  expect(existsSync(join(root, 'test', file))).toBe(true)
  expect(read(`test/${file}`)).toMatch(new RegExp(`['"\` (]-${name}(?![\\w-])`))
})

test('a configuration with the schema’s defaults is read as the defaults', async () => {
  const { properties } = JSON.parse(configSchema()) as { properties: Record<string, { default?: unknown }> }
  const defaults = Object.entries(properties).filter(([name]) => name !== '$schema')
  expect(defaults.length).toBeGreaterThan(40)
  const config = Object.fromEntries(defaults.map(([name, property]) => [name, property.default]))
  const directory = mkdtempSync(join(tmpdir(), 'flag-docs-'))
  const path = join(directory, 'derper.json')
  writeFileSync(path, JSON.stringify({ $schema: 'derper.schema.json', ...config }))
  const { values } = await readFlags('derper', DERPER_FLAGS, { args: ['-config', path], env: {} })
  expect(values).toEqual({ ...(await readFlags('derper', DERPER_FLAGS, { args: [], env: {} })).values, config: path })
  rmSync(directory, { recursive: true })
})

test('docs/operate/migrate.md says what becomes of each flag of the original', () => {
  const page = read('docs/operate/migrate.md')
  const { flags: releases } = JSON.parse(read('test/golden/derper-flags.json')) as {
    flags: Record<string, Record<string, { default: string | null }>>
  }
  const all = Object.entries(Object.assign({}, ...Object.values(releases)) as (typeof releases)[string])
  expect(all.length).toBe(35)
  expect(all.filter(([name]) => !page.includes(`\`-${name}\``))).toEqual([])
  const [, same = ''] = /^\*\*Same name, same default, same meaning:\*\*([\s\S]*?)\n\n/m.exec(page) ?? []
  const told = Array.from(same.matchAll(/`-([\w-]+)`/g), ([, name]) => name)
  expect(told.length).toBeGreaterThan(20)
  const differs = all.filter(
    ([name, { default: value }]) =>
      told.includes(name) && value !== null && value !== (DERPER_FLAGS as Record<string, DerperFlag>)[name]?.default,
  )
  expect(differs).toEqual([])
})

test('withFlagTables requires its markers', () => {
  expect(() => withFlagTables('# No place\n')).toThrow('write flags: no "<!-- Flags')
})

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

test('docs/operating.md and docs/derper.schema.json match the flags (to update: node scripts/write-flag-docs.ts)', () => {
  const operating = read('docs/operating.md')
  expect(operating).toBe(withFlagTables(operating))
  expect(read('docs/derper.schema.json')).toBe(configSchema())
  for (const [name, { help }] of flags) {
    expect(operating).toContain(`\`-${name}\``)
    expect(operating).toContain(help)
  }
})

test('docs/tools.md and docs/derpprobe.schema.json say what derpprobe takes and gives (to update: node scripts/write-flag-docs.ts)', () => {
  const tools = read('docs/tools.md')
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

test('withFlagTables requires its markers', () => {
  expect(() => withFlagTables('# No place\n')).toThrow('write flags: no "<!-- Flags')
})

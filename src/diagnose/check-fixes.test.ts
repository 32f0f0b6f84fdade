import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fixOfCheck } from './check-fixes.ts'

test('fixOfCheck knows each check of the page on health', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/operate/health.md'), 'utf8')
  const [, table = ''] = page.split('| check | not ready when |')
  const names = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name as string)
  expect(names.length).toBeGreaterThan(8)
  expect(names.filter(name => fixOfCheck(name) === fixOfCheck('of somebody else'))).toEqual([])
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test('docs/use/from-go.md: each symbol of the original’s client API has a test named after it', () => {
  const titles = [...read('test/interop/seed.test.ts').matchAll(/^\s*test\('([^']*)'/gm)].flatMap(([, title]) =>
    (title ?? '').split(', '),
  )
  const rows = [...read('docs/use/from-go.md').matchAll(/^\| `[^`]+` \| .* \| (\w+) \|$/gm)].map(([, symbol]) => symbol)
  expect(rows.length).toBe(40)
  expect(new Set(rows).size).toBe(rows.length)
  for (const symbol of rows) expect(titles).toContain(symbol)
})

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const CONFIG = join(import.meta.dirname, '../.dependency-cruiser.mjs')
const CRUISER = join(import.meta.dirname, '../node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')

const trees: string[] = []
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true })
})

/** Checks a tree of the given files; resolves to the rules it breaks. */
function brokenRules(files: Record<string, string>): Promise<string[]> {
  const tree = mkdtempSync(join(tmpdir(), 'layers-'))
  trees.push(tree)
  writeFileSync(join(tree, 'tsconfig.json'), '{}')
  writeFileSync(join(tree, 'package.json'), '{"type":"module"}')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [CRUISER, '--config', CONFIG, 'src'], { cwd: tree }, (error, stdout) => {
      const rules = Array.from(stdout.matchAll(/^\s*error ([\w-]+): /gm), match => match[1] as string)
      if (rules.length > 0 === (error !== null)) resolve([...new Set(rules)])
      else reject(new Error(`exit code does not match ${rules.length} violations: ${stdout}`))
    })
  })
}

const value = 'export const value = 1\n'

test('layers: a downward import passes', async () => {
  const rules = await brokenRules({
    'src/lib/a.ts': value,
    'src/server/b.ts': `import { value } from '../lib/a.ts'\nexport const b = value\n`,
  })
  expect(rules).toEqual([])
})

test('layers: an upward import fails', async () => {
  const rules = await brokenRules({
    'src/lib/a.ts': `import { value } from '../server/b.ts'\nexport const a = value\n`,
    'src/server/b.ts': value,
  })
  expect(rules).toEqual(['layer-lib'])
})

test('layers: an upward import of types alone fails', async () => {
  const rules = await brokenRules({
    'src/lib/a.ts': `import type { B } from '../server/b.ts'\nexport type A = B\n`,
    'src/server/b.ts': 'export type B = 1\n',
  })
  expect(rules).toEqual(['layer-lib'])
})

test('layers: a sideways import fails', async () => {
  const rules = await brokenRules({
    'src/server/a.ts': `import { value } from '../client/b.ts'\nexport const a = value\n`,
    'src/client/b.ts': value,
  })
  expect(rules).toEqual(['layer-server'])
})

test('layers: a cycle of values fails, one of types passes', async () => {
  const cycle = await brokenRules({
    'src/lib/a.ts': `import { b } from './b.ts'\nexport const a = () => b\n`,
    'src/lib/b.ts': `import { a } from './a.ts'\nexport const b = () => a\n`,
  })
  expect(cycle).toEqual(['no-cycle'])
  const types = await brokenRules({
    'src/lib/a.ts': `import type { B } from './b.ts'\nexport interface A { b: B }\n`,
    'src/lib/b.ts': `import { type A } from './a.ts'\nexport interface B { a: A }\n`,
  })
  expect(types).toEqual([])
})

test('layers: a Node module in the pure core fails, in a node-*.ts file it passes', async () => {
  const core = await brokenRules({
    'src/server/a.ts': `import { readFileSync } from 'node:fs'\nexport const a = readFileSync\n`,
  })
  expect(core).toEqual(['pure-core'])
  const edge = await brokenRules({
    'src/keys/node-a.ts': `import { readFileSync } from 'node:fs'\nexport const a = readFileSync\n`,
  })
  expect(edge).toEqual([])
})

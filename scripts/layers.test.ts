import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const CONFIG = join(import.meta.dirname, '../.dependency-cruiser.mjs')
const CRUISER = join(import.meta.dirname, '../node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')

const value = 'export const value = 1\n'
const nodeImport = `import { readFileSync } from 'node:fs'\nexport const read = readFileSync\n`

/** One tree with all imports that must pass or fail, so that the tool starts once. */
const FILES: Record<string, string> = {
  'src/lib/value.ts': value,
  'src/client/value.ts': value,
  'src/server/value.ts': value,
  'src/server/down.ts': `import { value } from '../lib/value.ts'\nexport const down = value\n`,
  'src/lib/up.ts': `import { value } from '../server/value.ts'\nexport const up = value\n`,
  'src/lib/up-type.ts': `import type { Type } from '../server/type.ts'\nexport type Up = Type\n`,
  'src/lib/up-export.ts': `export type { Type } from '../server/type.ts'\n`,
  'src/server/type.ts': 'export type Type = 1\n',
  'src/server/sideways.ts': `import { value } from '../client/value.ts'\nexport const sideways = value\n`,
  'src/lib/circle-a.ts': `import { b } from './circle-b.ts'\nexport const a = () => b\n`,
  'src/lib/circle-b.ts': `import { a } from './circle-a.ts'\nexport const b = () => a\n`,
  'src/lib/types-a.ts': `import type { B } from './types-b.ts'\nexport interface A { b: B }\n`,
  'src/lib/types-b.ts': `import { type A } from './types-a.ts'\nexport interface B { a: A }\n`,
  'src/server/platform.ts': nodeImport,
  'src/keys/node-platform.ts': nodeImport,
}

let tree: string
let stdout: string
let exitCode: unknown

/** Rules broken by a file; for a cycle the tool names only one file. */
const brokenBy = (...files: string[]) =>
  Array.from(stdout.matchAll(/^\s*error ([\w-]+): (\S+)/gm))
    .filter(([, , from = '']) => files.includes(from))
    .map(([, rule]) => rule)

beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), 'layers-'))
  writeFileSync(join(tree, 'tsconfig.json'), '{}')
  writeFileSync(join(tree, 'package.json'), '{"type":"module"}')
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  await new Promise<void>(resolve => {
    execFile(process.execPath, [CRUISER, '--config', CONFIG, 'src'], { cwd: tree }, (error, out) => {
      exitCode = error?.code
      stdout = out
      resolve()
    })
  })
})

afterAll(() => rmSync(tree, { recursive: true }))

test('layers: broken rules fail the run; the tool finds its transpiler', () => {
  expect(exitCode).toBe(Array.from(stdout.matchAll(/^\s*error /gm)).length)
  expect(stdout).not.toMatch(/transpiler|warn /)
})

test('layers: a downward import passes', () => {
  expect(brokenBy('src/server/down.ts')).toEqual([])
})

test('layers: an upward import fails', () => {
  expect(brokenBy('src/lib/up.ts')).toEqual(['layer-lib'])
})

test('layers: an upward type-only import or export fails', () => {
  expect(brokenBy('src/lib/up-type.ts')).toEqual(['layer-lib'])
  expect(brokenBy('src/lib/up-export.ts')).toEqual(['layer-lib'])
})

test('layers: a sideways import fails', () => {
  expect(brokenBy('src/server/sideways.ts')).toEqual(['layer-server'])
})

test('layers: a cycle fails, also of type imports', () => {
  expect(brokenBy('src/lib/circle-a.ts', 'src/lib/circle-b.ts')).toEqual(['no-cycle'])
  expect(brokenBy('src/lib/types-a.ts', 'src/lib/types-b.ts')).toEqual(['no-cycle'])
})

test('layers: a Node import fails in the pure core and passes in a node-*.ts file', () => {
  expect(brokenBy('src/server/platform.ts')).toEqual(['pure-core'])
  expect(brokenBy('src/keys/node-platform.ts')).toEqual([])
})

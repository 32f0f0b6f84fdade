import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bunPath } from '../tools/bun/bun-path.ts'
import { runtimePath } from '../tools/runtime-path.ts'

test('bunPath is the pinned Bun', () => {
  expect(execFileSync(bunPath() ?? 'no Bun', ['--version'], { encoding: 'utf8' })).toBe('1.4.5\n')
})

test.each([
  ['aix', 'ppc64'],
  ['linux', 'riscv64'],
])('bunPath knows none for %s on %s', (platform, arch) => {
  expect(bunPath(platform, arch)).toBeUndefined()
})

test.each([undefined, '', 'bun'])('runtimePath is Bun for %j', wanted => {
  expect(runtimePath(wanted)).toBe(bunPath())
})

test('runtimePath is this Node for "node", and an error for what is none', () => {
  expect(runtimePath('node')).toBe(process.execPath)
  expect(() => runtimePath('deno')).toThrow('choose runtime by DERPHTTP_RUNTIME, deno: unknown; set bun or node')
})

test('npm run path has the folders of Node and of each pinned program', () => {
  const path = execFileSync('npm', ['run', '-s', 'path'], { encoding: 'utf8', cwd: join(import.meta.dirname, '..') })
  const versionOf = (name: string) => execFileSync(name, ['--version'], { encoding: 'utf8', env: { PATH: path } })
  expect(versionOf('node').trim()).toBe(process.version)
  expect(versionOf('bun')).toBe('1.4.5\n')
  for (const name of ['deno', 'workerd']) expect(versionOf(name)).toContain(name)
})

import { expect, test } from 'vitest'
import { type LockedPackage, mayShip, supplyProblems } from './supply.ts'

const good: LockedPackage = { version: '1.0.0', license: 'MIT', integrity: 'sha512-AA==' }

function problemsOf(change: LockedPackage): string[] {
  return supplyProblems({ '': {}, 'tools/a': {}, 'node_modules/x': { ...good, ...change } })
}

test('a locked package with its hash from the registry is well, and so are our own', () => {
  expect(problemsOf({})).toEqual([])
  expect(problemsOf({ resolved: 'https://registry.npmjs.org/x/-/x-1.0.0.tgz' })).toEqual([])
  expect(problemsOf({ link: true, license: 'none' })).toEqual([])
})

test.each([
  [{ integrity: '' }, 'node_modules/x: no SHA-512'],
  [{ integrity: 'sha1-AA==' }, 'node_modules/x: no SHA-512'],
  [{ resolved: 'git+ssh://git@host/x.git#1' }, 'node_modules/x: from git+ssh://git@host/x.git#1'],
  [{ license: 'GPL-3.0-only' }, 'node_modules/x: licence GPL-3.0-only'],
  [{ hasInstallScript: true }, 'node_modules/x: runs an install script'],
])('%j is refused', (change, problem) => {
  expect(problemsOf(change)).toEqual([problem])
})

test('a licence that tools may have is refused of what users get', () => {
  expect(problemsOf({ license: 'MPL-2.0', dev: true })).toEqual([])
  expect(problemsOf({ license: 'MPL-2.0' })).toEqual(['node_modules/x: licence MPL-2.0'])
})

test('of alternatives one is enough, of joined licences all are needed', () => {
  expect(mayShip('(BSD-3-Clause OR GPL-2.0)')).toBe(true)
  expect(mayShip('Apache-2.0 AND MIT')).toBe(true)
  expect(mayShip('Apache-2.0 AND GPL-2.0')).toBe(false)
})

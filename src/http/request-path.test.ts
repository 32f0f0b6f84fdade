import { expect, test } from 'vitest'
import { readRequestPath } from './request-path.ts'

// Verified with the original.
test.for([
  ['/', '/'],
  ['/derp?x=1', '/derp'],
  ['/derp/', '/derp/'],
  ['/%64erp', '/derp'],
  ['/derp%2fprobe', '/derp%2fprobe'],
  ['/%2e%2e/derp', '/../derp'],
  ['http://other.example/derp/probe', '/derp/probe'],
  ['/debug/nope', '/debug/nope'],
] as const)('readRequestPath %s is looked up as %s (P-168)', ([target, path]) => {
  expect(readRequestPath(target)).toEqual({ path, redirect: undefined })
})

test.for([
  ['//derp', '/derp'],
  ['/derp/../derp', '/derp'],
  ['/derp/.', '/derp'],
  ['/derp/..', '/'],
  ['/..', '/'],
  ['/a/./', '/a/'],
  ['/a//', '/a/'],
  ['//', '/'],
  ['//derp?x=1&y=2', '/derp?x=1&y=2'],
  ['//x?', '/x'],
  ['//evil.example/x', '/evil.example/x'],
  ['/%41//%2f', '/%2541/%252f'],
  ['//!*()', '/%21%2A%28%29'],
  ['//\\x', '/%255Cx'],
  ['//x/<a>&"\'', '/x/%253Ca%253E&%2522%2527'],
  ['//x[1]', '/x%5B1%5D'],
  ['/debug', '/debug/'],
  ['/debug?x=1', '/debug/?x=1'],
  ['//debug', '/debug/'],
  ['/%64ebug', '/debug/'],
  ['http://other.example', '/'],
  ['http://other.example//derp', '/derp'],
] as const)('readRequestPath redirects %s to %s (P-168)', ([target, location]) => {
  expect(readRequestPath(target)?.redirect).toBe(location)
})

test.for(['/%zz', '/%', '/a%4', '*', 'derp', ''])('readRequestPath finds no path in %j', target => {
  expect(readRequestPath(target)).toBeUndefined()
})

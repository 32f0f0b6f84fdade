import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { measureSecretCompares, secretCompares } from './secret-compares.ts'

test.each([
  'if (given === this.#token) return true',
  'if (bearerToken !== wanted) return',
  'return options.password === other',
  'return wanted === this.#options.meshKey',
  'return equalBytes(message.secret, this.#invitation.secret)',
  'return equalBytes(given, debugKey)',
  'if (given.join() !== this.#invitation.secret) return',
])('secretCompares finds %j', text => {
  expect(secretCompares(text)).toHaveLength(1)
})

test.each([
  'if (token === undefined) return',
  "if (password !== '') return",
  'if (secret.length !== 32) return',
  "typeof secret === 'string'",
  'if (tokens.length === MAX_JSON_TOKENS) throw',
  'equalConstantTime(given, token)',
  'if (options.meshKey !== undefined && x === y) return',
])('secretCompares ignores %j', text => {
  expect(secretCompares(text)).toEqual([])
})

test('docs/understand/security/privacy.md lists all files that compare secrets, and no others', () => {
  const root = join(import.meta.dirname, '..')
  const sources = globSync('src/**/*.ts', { cwd: root }).filter(path => !path.endsWith('.test.ts'))
  const comparing = sources.filter(path =>
    /equalConstantTime\(|difference \|= /.test(readFileSync(join(root, path), 'utf8')),
  )
  const told = readFileSync(join(root, 'docs/understand/security/privacy.md'), 'utf8').match(/(?<=`)src\/[^`]+/g)
  expect(told?.toSorted()).toEqual(comparing.toSorted())
})

test('measureSecretCompares names file and compare', () => {
  const { line, problems } = measureSecretCompares(
    new Map([
      ['src/a.ts', 'a === token'],
      ['src/b.ts', ''],
    ]),
  )
  expect(line).toBe('secrets compared in variable time: 1')
  expect(problems).toEqual(['src/a.ts: a === token: compare secrets with equalConstantTime'])
})

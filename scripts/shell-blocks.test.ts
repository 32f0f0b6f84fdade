import { expect, test } from 'vitest'
import { blocksOf, commandsOf, inputOf } from './shell-blocks.ts'

test('blocksOf finds fenced blocks with their lines', () => {
  const page = '# A\n\n```sh\nderper -dev\n```\n\n```\nplain\n```\n'
  expect(blocksOf('a.md', page)).toEqual([
    { path: 'a.md', line: 4, language: 'sh', text: 'derper -dev\n' },
    { path: 'a.md', line: 8, language: '', text: 'plain\n' },
  ])
})

test('inputOf takes what follows prompts, and no output', () => {
  const block = { path: 'a.md', line: 1 }
  expect(inputOf({ ...block, language: 'console', text: '$ derp key\n{"a":1}\n$ derper\n' })).toBe('derp key\nderper')
  expect(inputOf({ ...block, language: 'sh', text: 'derp key\n' })).toBe('derp key\n')
  expect(inputOf({ ...block, language: 'json', text: '{}' })).toBeUndefined()
})

const said = (script: string) =>
  commandsOf(script).map(({ env, program, args }) => [
    ...Object.entries(env).map(each => each.join('=')),
    program,
    ...args,
  ])

test.each([
  ['a -b "c d" \'e f\'', [['a', '-b', 'c d', 'e f']]],
  ['a b # c\nd', [['a', 'b'], ['d']]],
  ['a \\\n  b', [['a', 'b']]],
  ['A=1 B="2 3" a', [['A=1', 'B=2 3', 'a']]],
  ['a | b && c || d; e', [['a'], ['b'], ['c'], ['d'], ['e']]],
  ['a > b 2>&1 < c', [['a']]],
  ["a > b <<'END'\nc d\nEND\ne", [['a'], ['e']]],
  ['(a; b)', [['a'], ['b']]],
  [
    'a x=$(b "c") d',
    [
      ['b', 'c'],
      ['a', 'x=$(b "c")', 'd'],
    ],
  ],
  [
    'a "$(b c)"',
    [
      ['b', 'c'],
      ['a', '$(b c)'],
    ],
  ],
  ["a '$(b)'", [['a', '$(b)']]],
  ['if a; then b; fi', [['a'], ['b']]],
  ['a http://x/?a=1\\&b', [['a', 'http://x/?a=1&b']]],
])('commandsOf splits %s as a shell does', (script, commands) => {
  expect(said(script)).toEqual(commands)
})

test('commandsOf refuses an open quote', () => {
  expect(() => commandsOf("a 'b")).toThrow('a quote is not closed')
})

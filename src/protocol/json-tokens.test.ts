import { expect, test } from 'vitest'
import { JsonBoundsError, MAX_JSON_DEPTH, MAX_JSON_TOKENS, readJsonTokens } from './json-tokens.ts'

test.each<[string, string[]]>([
  ['', []],
  [' \t\n{ }', ['{', '}']],
  ['{"a":1.0,"b":[true,null]}', ['{', '"a"', ':', '1.0', ',', '"b"', ':', '[', 'true', ',', 'null', ']', '}']],
  [String.raw`"a\"b" "\\" "\\\"{" 1`, [String.raw`"a\"b"`, String.raw`"\\"`, String.raw`"\\\"{"`, '1']],
  ['"not closed', ['"not closed']],
  [String.raw`"\"`, [String.raw`"\"`]],
])('readJsonTokens splits %j', (json, tokens) => {
  expect(readJsonTokens(json)).toEqual(tokens)
})

test('readJsonTokens limits tokens and nesting', () => {
  const values = Array.from({ length: (MAX_JSON_TOKENS - 2) / 2 }, () => '1').join()
  expect(readJsonTokens(`[${values}]`)).toHaveLength(MAX_JSON_TOKENS - 1)
  expect(() => readJsonTokens(`[${values},1]`)).toThrow(JsonBoundsError)
  expect(readJsonTokens('['.repeat(MAX_JSON_DEPTH))).toHaveLength(MAX_JSON_DEPTH)
  expect(() => readJsonTokens('{'.repeat(MAX_JSON_DEPTH + 1))).toThrow('nested more than 32 deep')
  expect(() => readJsonTokens('[1,'.repeat(MAX_JSON_DEPTH + 1))).toThrow('nested more than 32 deep')
  expect(readJsonTokens('[[]]'.repeat(MAX_JSON_DEPTH))).toHaveLength(4 * MAX_JSON_DEPTH)
})

test('readJsonTokens keeps a long text as one token', () => {
  expect(readJsonTokens(`{"a":"${'x'.repeat(256 << 10)}"}`)).toHaveLength(5)
})

test.each([
  ['nested', '['.repeat(1 << 20), 'nested more than 32 deep'],
  ['of values', `[${'1,'.repeat(1 << 19)}1]`, 'more than 1024 tokens'],
  ['of quotes', '"'.repeat(1 << 20), 'more than 1024 tokens'],
  ['of escaped quotes', `"${String.raw`\"`.repeat(1 << 19)}`, undefined],
  ['of backslashes', `"${'\\'.repeat(1 << 20)}"`, undefined],
  ['of blanks', ' '.repeat(1 << 20), undefined],
  // If parsing were not linear, one of these would take minutes.
])('a megabyte of JSON %s is read or refused quickly', (_what, json, refusal) => {
  if (refusal === undefined) expect(readJsonTokens(json).length).toBeLessThanOrEqual(1)
  else expect(() => readJsonTokens(json)).toThrow(refusal)
})

import { expect, test } from 'vitest'
import { encodeUtf8 } from '../lib/bytes.ts'
import { parseInfo } from './info-json.ts'

test('parseInfo reads fields of any kind, objects and arrays as empty (P-033)', () => {
  const schema = { a: 'any', b: 'any', c: 'any', d: 'any' } as const
  const json = encodeUtf8('{"a":{"x":[1]},"b":["y",{}],"c":"z","d":4}')
  expect(parseInfo(json, schema, { what: 'Example', clause: 'P-033' })).toEqual({ a: {}, b: [], c: 'z', d: 4 })
})

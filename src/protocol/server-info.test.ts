import { expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../lib/bytes.ts'
import { formatServerInfo, parseServerInfo } from './server-info.ts'

const parse = (json: string) => parseServerInfo(encodeUtf8(json))
const unlimited = { tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 }

test('formatServerInfo omits limits of zero (P-034, P-039)', () => {
  expect(decodeUtf8(formatServerInfo(unlimited))).toBe('{"version":2}')
  expect(decodeUtf8(formatServerInfo({ tokenBucketBytesPerSecond: 10, tokenBucketBytesBurst: 20 }))).toBe(
    '{"version":2,"TokenBucketBytesPerSecond":10,"TokenBucketBytesBurst":20}',
  )
})

test.each([
  ['null', unlimited],
  ['{}', unlimited],
  ['{"version":99,"more":[]}', { ...unlimited, version: 99 }],
  ['{"TOKENBUCKETBYTESPERSECOND":5,"TokenBucketBytesBurst":null}', { ...unlimited, tokenBucketBytesPerSecond: 5 }],
])('parseServerInfo reads %s (P-034, P-039)', (json, expected) => {
  expect(parse(json)).toStrictEqual(expected)
})

test.each(['', 'very', '[]', '{"TokenBucketBytesPerSecond":"5"}', '{"TokenBucketBytesBurst":1.5}', '{"version":true}'])(
  'parseServerInfo refuses %j (P-034)',
  json => {
    expect(() => parse(json)).toThrow(
      expect.objectContaining({ code: 'ERR_DERP_LOGIN_INFO_MALFORMED', clause: 'P-034' }),
    )
  },
)

import { expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../lib/bytes.ts'
import { ProtocolError } from '../lib/derp-error.ts'
import { formatClientInfo, parseClientInfo } from './client-info.ts'

const parse = (json: string) => parseClientInfo(encodeUtf8(json))
const nothing = { canAckPings: false, isProber: false }

test('formatClientInfo omits empty fields but never CanAckPings (P-033, P-039)', () => {
  expect(decodeUtf8(formatClientInfo(nothing))).toBe('{"version":2,"CanAckPings":false}')
  expect(decodeUtf8(formatClientInfo({ ...nothing, meshKey: '', appName: '' }))).toBe(
    '{"version":2,"CanAckPings":false}',
  )
  expect(decodeUtf8(formatClientInfo({ meshKey: 'ab', canAckPings: true, isProber: true, appName: 'derp-ts/1' }))).toBe(
    '{"meshKey":"ab","version":2,"CanAckPings":true,"IsProber":true,"AppName":"derp-ts/1"}',
  )
})

test('parseClientInfo reads every field (P-033)', () => {
  const json = '{"meshKey":"ab","version":2,"CanAckPings":true,"IsProber":true,"AppName":"a b/1"}'
  expect(parse(json)).toEqual({ meshKey: 'ab', version: 2, canAckPings: true, isProber: true, appName: 'a b/1' })
})

test.each([
  ['null', nothing],
  [' \t\r\n{} \n', nothing],
  ['{"version":null,"meshKey":null,"CanAckPings":null,"AppName":null}', nothing],
  [
    '{"VERSION":7,"meshkey":"x","canackpings":true,"ISPROBER":true,"appname":"y"}',
    { version: 7, meshKey: 'x', canAckPings: true, isProber: true, appName: 'y' },
  ],
  ['{"version":2,"version":null}', { ...nothing, version: 2 }],
  ['{"version":1,"VERSION":2,"version":3}', { ...nothing, version: 3 }],
  ['{"\\u0076ersion":7}', { ...nothing, version: 7 }],
  ['{"x":[1,{"version":"q"}],"y":"\\"{,}","version":3}', { ...nothing, version: 3 }],
  ['{"mesh_key":"x","__proto__":{"version":9},"":0}', nothing],
])('parseClientInfo reads %j leniently (P-033)', (json, expected) => {
  expect(parse(json)).toStrictEqual(expected)
})

test.each(['0', '1', '-1', '2147483648', '9223372036854775807', '-9223372036854775808'])(
  'parseClientInfo accepts version %s (P-033, P-039)',
  version => {
    expect(parse(`{"version":${version}}`).version).toBe(Number(version))
  },
)

test.each([
  ['', 'not JSON'],
  ['{', 'not JSON'],
  ['{}x', 'not JSON'],
  ['{}{}', 'not JSON'],
  ['\ufeff{}', 'not JSON'],
  ['[]', 'not a JSON object'],
  ['"{}"', 'not a JSON object'],
  ['5', 'not a JSON object'],
  ['false', 'not a JSON object'],
  ['{"version":"2"}', 'version is not of type integer'],
  ['{"version":1.0}', 'version is not of type integer'],
  ['{"version":1e2}', 'version is not of type integer'],
  ['{"version":9223372036854775808}', 'version is not of type integer'],
  ['{"version":"x","version":2}', 'version is not of type integer'],
  ['{"version":{}}', 'version is not of type integer'],
  ['{"MESHKEY":5}', 'meshKey is not of type string'],
  ['{"meshKey":["x"]}', 'meshKey is not of type string'],
  ['{"CanAckPings":"true"}', 'CanAckPings is not of type boolean'],
  ['{"IsProber":0}', 'IsProber is not of type boolean'],
])('parseClientInfo refuses %s: %s (P-033)', (json, reason) => {
  let thrown: unknown
  try {
    parse(json)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(ProtocolError)
  expect(thrown).toMatchObject({
    code: 'ERR_DERP_LOGIN_INFO_MALFORMED',
    message: `parse ClientInfo: ${reason}`,
    clause: 'P-033',
  })
})

test.each(['5', '{"a":1}', '[]', 'true', '""', `"${'x'.repeat(33)}"`, '"ä"', '"a\\n"', '"\\u007f"'])(
  'parseClientInfo ignores the malformed AppName %s (P-033)',
  name => {
    expect(parse(`{"AppName":${name},"version":2}`)).toEqual({ ...nothing, version: 2 })
  },
)

test('parseClientInfo reads a box of maximum size with one string, and refuses one full of brackets (P-033)', () => {
  const fill = (text: string) => text.repeat(Math.floor(260_000 / text.length))
  expect(parse(`{"x":"${fill('\\\\')}","version":1}`).version).toBe(1)
  expect(parse(`{"y":[{"z":[1]}],"version":1}`).version).toBe(1)
  expect(() => parse(`{${fill('"y":[{}],')}"version":1}`)).toThrow('parse ClientInfo: more than 1024 tokens')
  expect(() => parse(fill('['))).toThrow('parse ClientInfo: nested more than 32 deep')
})

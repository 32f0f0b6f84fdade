import { expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../lib/bytes.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { ResponseHeadReader } from './response-head.ts'

const makeReader = () => new ResponseHeadReader(reason => new DerpError('ERR_DERP_PROXY_FAILED', `read: ${reason}`))

test('ResponseHeadReader returns status, headers by lower-case name, and what follows', () => {
  const reader = makeReader()
  expect(reader.isEmpty).toBe(true)
  expect(
    reader.push(encodeUtf8('HTTP/1.0 407 No\r\nX-Name:  a: b \r\nx-name: last\r\nno colon\r\n: none\r')),
  ).toBeUndefined()
  expect(reader.isEmpty).toBe(false)
  const head = reader.push(encodeUtf8('\n\r\nrest'))
  expect(head).toMatchObject({ status: 407, headers: new Map([['x-name', 'last']]) })
  expect(decodeUtf8(head?.rest ?? new Uint8Array(0))).toBe('rest')
})

test('ResponseHeadReader rejects with its owner’s error', () => {
  expect(() => makeReader().push(encodeUtf8('HTTP/2 200'))).toThrow('read: not an HTTP response')
  expect(() => makeReader().push(encodeUtf8('HTTP/1.1 20\r\n\r\n'))).toThrow('read: invalid status line "HTTP/1.1 20"')
})

import { expect, test } from 'vitest'
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../lib/bytes.ts'
import { MAX_RESPONSE_HEAD_LENGTH } from './response-head.ts'
import { UpgradeRefusedError, UpgradeResponse } from './upgrade-response.ts'

const HEAD = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n'

/** The exception of `run`. */
function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** The refusal caused by `text` followed by the end of the stream. */
function refusalOf(text: string): UpgradeRefusedError {
  const response = new UpgradeResponse()
  const error = thrownBy(() => {
    response.push(encodeUtf8(text))
    response.end()
  })
  if (error instanceof UpgradeRefusedError) return error
  throw error
}

test('UpgradeResponse returns what follows a 101 (P-121)', () => {
  expect(new UpgradeResponse().push(encodeUtf8(HEAD))).toEqual(new Uint8Array(0))
  expect(decodeUtf8(new UpgradeResponse().push(encodeUtf8(`${HEAD}DERP\r\n\r\n`)) ?? new Uint8Array(0))).toBe(
    'DERP\r\n\r\n',
  )
})

test('UpgradeResponse reads a head byte by byte, and one with much after it (P-121)', () => {
  const bytes = encodeUtf8(HEAD)
  const response = new UpgradeResponse()
  for (const byte of bytes.subarray(0, -1)) expect(response.push(Uint8Array.of(byte))).toBeUndefined()
  expect(response.push(concatBytes([bytes.subarray(-1), new Uint8Array(100_000)]))).toHaveLength(100_000)
})

test('UpgradeResponse accepts any 101, whatever its reason and headers (P-121)', () => {
  expect(new UpgradeResponse().push(encodeUtf8('HTTP/1.0 101\r\n\r\n'))).toHaveLength(0)
})

test.each([
  ['HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno way', 403, 'no way'],
  [
    'HTTP/1.1 426 Upgrade Required\r\n\r\nDERP requires\r\n\tconnection upgrade\n',
    426,
    'DERP requires connection upgrade',
  ],
  [
    'HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n',
    502,
    'hello world',
  ],
  ['HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
  ['HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf', 200, 'half'],
  ['HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\n\r\nmore', 403, 'sorry'],
  ['HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nodd', 200, 'odd'],
  [`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(5000)}`, 200, `${'x'.repeat(199)}…`],
  ['HTTP/1.1 404 Not Found\r\n\r\n\u001b[31mred\u0000', 404, '[31mred'],
])('UpgradeResponse refuses %j with status and beginning of the body (P-213)', (text, status, excerpt) => {
  expect(refusalOf(text)).toMatchObject({ code: 'ERR_DERP_UPGRADE_REFUSED', status, excerpt })
})

test('UpgradeRefusedError describes the refusal', () => {
  expect(new UpgradeRefusedError(403, 'no way').message).toBe(
    'upgrade connection to DERP: refused with status 403: no way',
  )
  expect(new UpgradeRefusedError(204, '').message).toBe('upgrade connection to DERP: refused with status 204')
})

test.each([
  ['/', 'the path is /, that of a relay is usually /derp'],
  ['/derp', 'a web server, or a proxy without upgrades, is there'],
])('a home page at %s is described in one line, without its HTML', (path, hint) => {
  const response = new UpgradeResponse(path)
  const page = '<!DOCTYPE html>\n<html><body><h1>DERP</h1></body></html>'
  const error = thrownBy(() =>
    response.push(encodeUtf8(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`)),
  )
  expect(error).toMatchObject({
    message: `upgrade connection to DERP: refused with status 200 and a web page: ${hint}`,
    excerpt: expect.stringContaining('<h1>DERP</h1>'),
  })
})

test.each([
  'HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno way',
  'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nno way\r\n0\r\n\r\n',
  'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1024)}`,
])('UpgradeResponse does not wait for the stream to end after %j', text => {
  const response = new UpgradeResponse()
  const error = thrownBy(() => {
    for (const byte of encodeUtf8(text)) response.push(Uint8Array.of(byte))
  })
  expect(error).toBeInstanceOf(UpgradeRefusedError)
})

test.each([
  ['SSH-2.0-OpenSSH\r\n', 'not an HTTP response'],
  ['\0\0\0', 'not an HTTP response'],
  ['HTTP/2 101\r\n\r\n', 'not an HTTP response'],
  ['HTTP/1.1 abc\r\n\r\n', 'invalid status line "HTTP/1.1 abc"'],
  ['HTTP/1.12 101\r\n\r\n', 'invalid status line "HTTP/1.12 101"'],
  ['HTTP/1.1 1011\r\n\r\n', 'invalid status line "HTTP/1.1 1011"'],
  ['HTTP/1.1 x\u2028\0y\r\n\r\n', 'invalid status line "HTTP/1.1 x y"'],
])('UpgradeResponse refuses %j as no HTTP response (P-121)', (text, reason) => {
  expect(thrownBy(() => new UpgradeResponse().push(encodeUtf8(text)))).toMatchObject({
    code: 'ERR_DERP_UPGRADE_MALFORMED',
    message: `read upgrade response: ${reason}`,
  })
})

test('UpgradeResponse accepts a head of at most 16 KiB', () => {
  const room = MAX_RESPONSE_HEAD_LENGTH - 'HTTP/1.1 101\r\nX: \r\n\r\n'.length
  const head = (length: number) => encodeUtf8(`HTTP/1.1 101\r\nX: ${'y'.repeat(length)}\r\n\r\n`)
  expect(new UpgradeResponse().push(head(room))).toHaveLength(0)
  expect(thrownBy(() => new UpgradeResponse().push(head(room + 1)))).toMatchObject({
    code: 'ERR_DERP_UPGRADE_MALFORMED',
    message: 'read upgrade response: head is longer than 16384 bytes',
  })
})

test.each([
  ['/relay', 200, 'hello', ' (hello): the path is /relay, that of a relay is usually /derp'],
  ['/derp', 404, 'Not found', ' (Not found): a web server, or a proxy without upgrades, is there'],
  ['/relay', 404, '', ': the path is /relay, that of a relay is usually /derp'],
  ['/relay', 403, 'no way', ': no way'],
])('UpgradeRefusedError tells that no relay is at %s for status %d with %j', (path, status, excerpt, end) => {
  const message = `upgrade connection to DERP: refused with status ${status}${end}`
  expect(new UpgradeRefusedError(status, excerpt, path).message).toBe(message)
})

test('UpgradeResponse reports a stream that ends early', () => {
  expect(thrownBy(() => new UpgradeResponse().end())).toMatchObject({
    code: 'ERR_DERP_CONN_CLOSED',
    message: 'read upgrade response: connection closed without a response',
  })
  expect(thrownBy(() => new UpgradeResponse('/derp', ': a hint').end())).toMatchObject({
    message: 'read upgrade response: connection closed without a response: a hint',
  })
  const response = new UpgradeResponse()
  response.push(encodeUtf8('HTTP/1.1 101'))
  expect(thrownBy(() => response.end())).toMatchObject({
    message: 'read upgrade response: connection closed in the middle of the response',
  })
})

import { expect, test } from 'vitest'
import { UpgradeHeadReader } from './upgrade-head.ts'

const LINES = ['Host: relay.test', 'User-Agent: Go-http-client/1.1', 'Connection: Upgrade', 'Upgrade: DERP']

const headOf = (lines: readonly string[], first = 'GET /derp HTTP/1.1') => `${[first, ...lines].join('\r\n')}\r\n\r\n`
const read = (text: string, maxBytes?: number) => new UpgradeHeadReader(maxBytes).read(Buffer.from(text, 'latin1'))

test('a client’s request is parsed, and the bytes after it (P-120)', () => {
  const upgrade = read(`${headOf([...LINES, 'Derp-Fast-Start: 1', 'Authorization: Bearer a b'])}DERP`)
  expect(upgrade?.headers).toEqual({
    host: ['relay.test'],
    'user-agent': ['Go-http-client/1.1'],
    connection: ['Upgrade'],
    upgrade: ['DERP'],
    'derp-fast-start': ['1'],
    authorization: ['Bearer a b'],
  })
  expect(Buffer.from(upgrade?.head ?? []).toString()).toBe('DERP')
})

test('case of names, of the protocol and of the token does not matter', () => {
  expect(read(headOf(['host: a', 'CONNECTION: upgrade', 'upgrade: derp']))).toBeDefined()
})

const without = (name: string) => LINES.filter(line => !line.startsWith(name))

test.each([
  ['another path', headOf(LINES, 'GET /derp/ HTTP/1.1')],
  ['a query', headOf(LINES, 'GET /derp?x HTTP/1.1')],
  ['another method', headOf(LINES, 'POST /derp HTTP/1.1')],
  ['an older HTTP', headOf(LINES, 'GET /derp HTTP/1.0')],
  ['a head that is not complete', headOf(LINES).slice(0, -1)],
  ['no host', headOf(without('Host'))],
  ['no token', headOf(without('Connection'))],
  ['no protocol', headOf(without('Upgrade'))],
  ['a WebSocket', headOf([...without('Upgrade'), 'Upgrade: websocket'])],
  ['two tokens', headOf([...without('Connection'), 'Connection: keep-alive, Upgrade'])],
  ['a repeated header', headOf([...LINES, 'Host: other.test'])],
  ['a body', headOf([...LINES, 'Content-Length: 4'])],
  ['a body in chunks', headOf([...LINES, 'Transfer-Encoding: chunked'])],
  ['an expectation', headOf([...LINES, 'Expect: 100-continue'])],
  ['a value that goes on', headOf([...LINES, 'X-A: b', ' c'])],
  ['a bare line feed', headOf([...LINES, 'X-A: b\nX-C: d'])],
  ['a bare carriage return', headOf([...LINES, 'X-A: b\rc'])],
  ['a space before the colon', headOf([...LINES, 'X-A : b'])],
  ['no space after the colon', headOf([...LINES, 'X-A:b'])],
  ['an empty value', headOf([...LINES, 'X-A: '])],
  ['a control character', headOf([...LINES, 'X-A: b\0'])],
  ['a character beyond ASCII', headOf([...LINES, 'X-A: \xe9'])],
  ['a name for prototypes', headOf([...LINES, '__proto__: x'])],
  ['a head that is too long', headOf([...LINES, `X-A: ${'b'.repeat(2_048)}`])],
  ['no HTTP at all', '\x16\x03\x01'],
  ['nothing', ''],
])('a request with %s is left to node:http', (_, text) => {
  expect(read(text)).toBeUndefined()
})

test('an oversized head is left to node:http (P-107)', () => {
  const text = headOf(LINES)
  expect(read(text, text.length)).toBeDefined()
  expect(read(text, text.length - 1)).toBeUndefined()
})

test('a repeated head is not parsed again, except with a token', () => {
  const reader = new UpgradeHeadReader()
  const readAgain = (lines: readonly string[]) => reader.read(Buffer.from(headOf(lines)))?.headers
  expect(readAgain(LINES)).toBe(readAgain(LINES))
  const secret = [...LINES, 'Authorization: Bearer secret']
  expect(readAgain(secret)).not.toBe(readAgain(secret))
  expect(reader.size).toBe(1)
  for (let i = 0; i < 1_000; i++) readAgain([...LINES, `X-A: ${i}`])
  expect(reader.size).toBeLessThanOrEqual(64)
})

import { expect, test } from 'vitest'
import { clientHello, tlsRecord } from '../../test/support/client-hello.ts'
import { readClientHello } from './client-hello.ts'

const authority = { servername: 'relay.test', ALPNProtocols: ['acme-tls/1'] }

test('readClientHello finds name and protocols as soon as all bytes have arrived (P-147)', async () => {
  const hello = await clientHello(authority)
  const found = { serverName: 'relay.test', protocols: ['acme-tls/1'] }
  expect(readClientHello(hello)).toEqual(found)
  expect(readClientHello(Buffer.concat([hello, Buffer.from('more')]))).toEqual(found)
  for (let length = 0; length < hello.length; length++) {
    expect(readClientHello(hello.subarray(0, length))).toBeUndefined()
  }
})

test.each([
  ['no name', { ALPNProtocols: ['h2', 'http/1.1'] }, { serverName: undefined, protocols: ['h2', 'http/1.1'] }],
  ['no protocol', { servername: 'a.test' }, { serverName: 'a.test', protocols: [] }],
  [
    'TLS 1.2',
    { ...authority, maxVersion: 'TLSv1.2' } as const,
    { serverName: 'relay.test', protocols: ['acme-tls/1'] },
  ],
])('readClientHello reads a hello with %s', async (_, options, found) => {
  expect(readClientHello(await clientHello(options))).toEqual(found)
})

test('readClientHello passes anything else to TLS immediately', async () => {
  const none = { serverName: undefined, protocols: [] }
  expect(readClientHello(Buffer.from('G'))).toEqual(none)
  expect(readClientHello(tlsRecord(21, Buffer.of(1, 0)))).toEqual(none)
  expect(readClientHello(tlsRecord(22, Buffer.of(2, 0, 0, 0)))).toEqual(none)
  expect(readClientHello(tlsRecord(22, Buffer.alloc(0)))).toEqual(none)
  const hello = await clientHello(authority)
  // Truncated within a complete record: every length field points beyond the end at some point.
  for (let length = 6; length < hello.length; length++) {
    const cut = tlsRecord(22, hello.subarray(5, length))
    expect(readClientHello(cut)?.protocols.length ?? 0).toBeLessThanOrEqual(1)
  }
})

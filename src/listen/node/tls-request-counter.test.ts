import { EventEmitter, once } from 'node:events'
import { Socket } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { TLS_CERT, TLS_KEY } from '../../../test/support/tls-fixture.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import { countTlsRequest } from './tls-request-counter.ts'

test.each([
  ['TLSv1.2', '1.2'],
  ['TLSv1.3', '1.3'],
] as const)('countTlsRequest counts a request over %s as %s until it has ended (P-196)', async (version, label) => {
  const server = createServer({ key: TLS_KEY, cert: TLS_CERT, minVersion: version, maxVersion: version })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'secureConnection')
  const client = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', ca: TLS_CERT })
  try {
    const [socket] = (await accepted) as [TLSSocket]
    const counters = new HttpCounters()
    const response = new EventEmitter()
    countTlsRequest(counters, socket, response)
    expect(counters.tlsRequests).toEqual({ [label]: 1 })
    expect(counters.tlsActive).toEqual({ [label]: 1 })
    response.emit('close')
    response.emit('close')
    expect(counters.tlsRequests).toEqual({ [label]: 1 })
    expect(counters.tlsActive).toEqual({ [label]: 0 })
  } finally {
    client.destroy()
    server.close()
  }
})

test('countTlsRequest ignores plain connections (P-196)', () => {
  const counters = new HttpCounters()
  countTlsRequest(counters, new Socket(), new EventEmitter())
  expect(counters).toEqual(new HttpCounters())
})

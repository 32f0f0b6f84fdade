import { expect, test } from 'vitest'
import { ConnectionCounters } from './connection-counters.ts'
import { HttpCounters } from './http-counters.ts'
import { mergeConnectionCounters, mergeHttpCounters } from './merge.ts'

test('mergeHttpCounters adds counters, including those received as messages, into a new object', () => {
  const [a, b] = [new HttpCounters(), new HttpCounters()]
  a.tlsAccepted = 3
  b.tlsAccepted = 4
  a.bootstrapDns.requests = 1
  b.bootstrapDns.requests = 2
  a.beginTlsRequest('1.3')
  b.beginTlsRequest('1.3')()
  b.beginTlsRequest('1.2')
  b.failTlsHandshake('closed')
  const total = mergeHttpCounters([a, structuredClone(b)])
  expect(total.tlsAccepted).toBe(7)
  expect(total.bootstrapDns.requests).toBe(3)
  expect(total.tlsRequests).toEqual({ '1.2': 1, '1.3': 2 })
  expect(total.tlsActive).toEqual({ '1.2': 1, '1.3': 1 })
  expect(total.tlsHandshakeFailures).toEqual({ closed: 1 })
  total.failTlsHandshake('closed')
  expect(b.tlsHandshakeFailures).toEqual({ closed: 1 })
})

test('mergeHttpCounters has PROXY headers if any worker expects them', () => {
  const [a, b] = [new HttpCounters(), new HttpCounters()]
  expect(mergeHttpCounters([a, b]).proxyHeaders).toBeUndefined()
  b.proxyHeaders = { v1: 1, v2: 2, local: 3, missing: 4, malformed: 5 }
  expect(mergeHttpCounters([a, structuredClone(b), b]).proxyHeaders).toEqual({
    v1: 2,
    v2: 4,
    local: 6,
    missing: 8,
    malformed: 10,
  })
  expect(b.proxyHeaders.v1).toBe(1)
})

test('mergeConnectionCounters adds open, accepted and refused', () => {
  const [a, b] = [new ConnectionCounters(), new ConnectionCounters()]
  a.open = 2
  b.open = 1
  b.accepted = 5
  a.refused.rate = 1
  b.refused.rate = 2
  const total = mergeConnectionCounters([a, structuredClone(b)])
  expect(total).toMatchObject({ open: 3, accepted: 5 })
  expect(total.refused).toMatchObject({ rate: 3, source_rate: 0, connections: 0, source_connections: 0 })
})

import { expect, test } from 'vitest'
import { HttpCounters } from './http-counters.ts'

test('HttpCounters counts requests over TLS by version, and the active ones (P-196)', () => {
  const counters = new HttpCounters()
  const end = counters.beginTlsRequest('1.3')
  counters.beginTlsRequest('1.3')
  counters.beginTlsRequest('1.2')()
  expect(counters.tlsRequests).toEqual({ '1.2': 1, '1.3': 2 })
  expect(counters.tlsActive).toEqual({ '1.2': 0, '1.3': 2 })
  end()
  expect(counters.tlsActive).toEqual({ '1.2': 0, '1.3': 1 })
})

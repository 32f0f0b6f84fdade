import { expect, test } from 'vitest'
import { MemoryRelay } from '../../test/support/memory-relay.ts'
import { testMetrics } from '../../test/support/metrics.ts'
import { settle, until } from '../../test/support/settle.ts'
import { silentLog } from '../lib/log.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { LimitWatch, LOOK_MS } from './limit-watch.ts'

test('LimitWatch writes one line for all that hit a limit within a while, and none without', async () => {
  const relay = new MemoryRelay()
  const http = new HttpCounters()
  const lines: unknown[] = []
  const log = { ...silentLog, warn: (message: string, fields = {}) => void lines.push([message, fields]) }
  const metrics = testMetrics(relay.core, { http })
  let looks = 0
  const counted = async () => {
    const snapshot = await metrics()
    looks++
    return snapshot
  }
  const watch = new LimitWatch(counted, relay.clock, log)
  const look = async () => {
    const before = looks
    relay.clock.advance(LOOK_MS)
    await until(() => looks > before, 'the metrics are read')
    await settle(1)
    return lines.splice(0)
  }
  watch.start()
  expect(await look()).toEqual([])
  relay.core.counters.rateLimitWaits += 7
  http.tlsRejected += 2
  expect(await look()).toEqual([['limits were hit', { withinMs: LOOK_MS, rateLimitWaits: 7, connectionsRejected: 2 }]])
  relay.core.counters.rateLimitWaits += 1
  relay.core.counters.writeTimeouts += 3
  expect(await look()).toEqual([['limits were hit', { withinMs: LOOK_MS, rateLimitWaits: 1, writeTimeouts: 3 }]])
  expect(await look()).toEqual([])
  watch.stop()
  expect(relay.clock.pendingTimers).toBe(0)
})

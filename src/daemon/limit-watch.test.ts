import { expect, test } from 'vitest'
import { MemoryRelay } from '../../test/support/memory-relay.ts'
import { testMetrics } from '../../test/support/metrics.ts'
import { settle, until } from '../../test/support/settle.ts'
import { silentLog } from '../lib/log.ts'
import { DropReason } from '../metrics/drop-reason.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { INTERVAL_MS, LimitWatch } from './limit-watch.ts'

test('LimitWatch writes one line for all limits hit within an interval, and none otherwise', async () => {
  const relay = new MemoryRelay()
  const http = new HttpCounters()
  const lines: unknown[] = []
  const log = { ...silentLog, warn: (message: string, fields = {}) => void lines.push([message, fields]) }
  const metrics = testMetrics(relay.core, { http })
  let reads = 0
  const counting = async () => {
    const snapshot = await metrics()
    reads++
    return snapshot
  }
  const watch = new LimitWatch(counting, relay.clock, log)
  const report = async () => {
    const before = reads
    relay.clock.advance(INTERVAL_MS)
    await until(() => reads > before, 'the metrics are read')
    await settle(1)
    return lines.splice(0)
  }
  watch.start()
  expect(await report()).toEqual([])
  relay.core.counters.rateLimitWaits += 7
  http.tlsRejected += 2
  expect(await report()).toEqual([
    ['limits were hit', { withinMs: INTERVAL_MS, rateLimitWaits: 7, connectionsRejected: 2 }],
  ])
  relay.core.counters.rateLimitWaits += 1
  relay.core.counters.writeTimeouts += 3
  expect(await report()).toEqual([['limits were hit', { withinMs: INTERVAL_MS, rateLimitWaits: 1, writeTimeouts: 3 }]])
  relay.core.counters.drop(DropReason.QueueBudget, 'other', 100)
  relay.core.counters.fail('ERR_DERP_BACKLOG_FULL')
  expect(await report()).toEqual([
    ['limits were hit', { withinMs: INTERVAL_MS, queueBudgetDrops: 1, backlogsEnded: 1 }],
  ])
  expect(await report()).toEqual([])
  watch.stop()
  expect(relay.clock.pendingTimers).toBe(0)
})

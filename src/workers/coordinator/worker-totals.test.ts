import { expect, test } from 'vitest'
import { ConnectionCounters } from '../../metrics/connection-counters.ts'
import { RelayCounters } from '../../metrics/counters.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import type { WorkerSnapshot } from '../channel/messages.ts'
import { createLedger, PacketLedger } from '../link/packet-ledger.ts'
import { WorkerTotals } from './worker-totals.ts'

function snapshot(packets: number, averageQueueMs: number): WorkerSnapshot {
  const counters = new RelayCounters()
  counters.packetsSent = packets
  counters.currentConnections = 1
  counters.currentHomeConnections = 1
  counters.currentNotIdealConnections = 1
  counters.queueAgeMs.observe(averageQueueMs, packets)
  const http = new HttpCounters()
  http.beginTlsRequest('1.3')
  const connections = new ConnectionCounters()
  connections.open = 1
  connections.accepted = packets
  return { counters, averageQueueMs, pendingBytes: 5, pendingLogins: 2, heldBack: 3, http, connections }
}

test('WorkerTotals adds workers, weighting their averages by packets', () => {
  const totals = new WorkerTotals<string>()
  totals.note('a', snapshot(30, 1))
  totals.note('b', snapshot(10, 5))
  const sum = totals.sum()
  expect(sum).toMatchObject({ averageQueueMs: 2, pendingBytes: 10, pendingLogins: 4, heldBack: 6 })
  expect(sum.counters).toMatchObject({ packetsSent: 40, currentConnections: 2 })
  expect(sum.counters.queueAgeMs.cumulative().at(-1)?.count).toBe(40)
  expect([sum.http.tlsActive, sum.connections]).toMatchObject([{ '1.3': 2 }, { open: 2, accepted: 40 }])
})

test('WorkerTotals keeps the counters of an exited worker, but not its state', () => {
  const totals = new WorkerTotals<string>()
  const last = snapshot(30, 1)
  const memory = createLedger()
  const ledger = new PacketLedger(last.counters)
  ledger.open(memory)
  ledger.publish()
  totals.note('a', last)
  totals.remove('a', memory)
  totals.remove('unknown', createLedger())
  totals.note('b', snapshot(1, 0))
  const { counters, http, connections, pendingBytes } = totals.sum()
  expect(counters).toMatchObject({
    packetsSent: 31,
    currentConnections: 1,
    currentHomeConnections: 1,
    currentNotIdealConnections: 1,
  })
  expect([http.tlsRequests['1.3'], http.tlsActive['1.3'], connections, pendingBytes]).toMatchObject([
    2,
    1,
    { open: 1, accepted: 31 },
    5,
  ])
})

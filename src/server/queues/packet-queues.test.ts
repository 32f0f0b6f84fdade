import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { OpenBudget } from '../../../test/support/writer-bench.ts'
import { RelayCounters } from '../../metrics/counters.ts'
import type { PacketKind } from '../../metrics/drop-reason.ts'
import { PacketQueues } from './packet-queues.ts'
import { QueueAge } from './queue-age.ts'

/** Queues of two packets, beyond one write of 250 bytes. */
function setUp() {
  const clock = new FakeClock()
  const counters = new RelayCounters()
  const queueBudget = new OpenBudget(0)
  const queues = new PacketQueues({
    counters,
    queueAge: new QueueAge(counters.queueAgeMs),
    queueBudget,
    sendQueuePackets: 2,
    maxWriteBytes: 250,
    now: () => clock.now(),
  })
  const push = (kind: PacketKind, bytes: number) =>
    queues.push(
      {
        buffer: new Uint8Array(bytes),
        start: 0,
        end: bytes,
        payloadBytes: bytes,
        sender: undefined,
        settledAtMs: undefined,
      },
      kind,
    )
  const dropped = () => [counters.dropped.queue_head.other.packets, counters.dropped.queue_budget.disco.packets]
  return { queues, push, holders: queueBudget.holders, dropped }
}

test('PacketQueues drops within the turn only what neither the queue nor one write can hold (P-100)', () => {
  const { queues, push, dropped } = setUp()
  for (let n = 0; n < 2; n++) push('other', 200)
  expect([queues.packets, dropped()]).toEqual([2, [0, 0]])
  push('other', 200)
  expect([queues.packets, dropped()]).toEqual([2, [1, 0]])
})

test('PacketQueues cuts no further than asked, disco packets only when there are no others (P-104)', () => {
  const { queues, push, dropped } = setUp()
  for (let n = 0; n < 3; n++) push('disco', 50)
  queues.cutQueues(150)
  expect([queues.queuedBytes, dropped()]).toEqual([150, [0, 0]])
  queues.cutQueues(100)
  expect([queues.queuedBytes, dropped()]).toEqual([100, [0, 1]])
})

test('PacketQueues is in the budget while packets are queued after a turn, and not longer (P-104)', () => {
  const { queues, push, holders } = setUp()
  queues.settle()
  expect(holders.size).toBe(0)
  push('other', 50)
  queues.settle()
  expect(holders.size).toBe(1)
  queues.take('other')
  queues.emptied()
  expect(holders.size).toBe(0)
})

test('PacketQueues leaves the budget when closed, so that nothing keeps a connection that has ended (P-104)', () => {
  const { queues, push, holders } = setUp()
  push('other', 50)
  queues.settle()
  queues.close('gone_disconnected')
  expect([queues.packets, holders.size]).toEqual([0, 0])
})

import { expect, test } from 'vitest'
import { RelayCounters } from '../../metrics/counters.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import { createLedger, PacketLedger, settleLedger } from './packet-ledger.ts'

function openLedger() {
  const memory = createLedger()
  const counters = new RelayCounters()
  const ledger = new PacketLedger(counters)
  ledger.open(memory)
  return { memory, counters, ledger }
}

function settled(memory: SharedArrayBuffer): RelayCounters {
  const counters = new RelayCounters()
  settleLedger(memory, counters)
  return counters
}

test('a worker that is gone has the counters that it published, and what it held counts as dropped', () => {
  const { memory, counters, ledger } = openLedger()
  counters.packetsReceivedDisco = 4
  counters.packetsReceivedOther = 30
  counters.packetsForwardedIn = 2
  counters.packetsForwardedOut = 3
  counters.packetsSent = 7
  counters.bytesSent = 700
  counters.drop(DropReason.QueueHead, 'disco', 50)
  ledger.taken.packets = 10
  ledger.given.packets = 5
  ledger.publish()
  const after = settled(memory)
  expect(after).toMatchObject({ packetsReceivedDisco: 4, packetsReceivedOther: 30, packetsSent: 7, bytesSent: 700 })
  expect(after.dropped.queue_head.disco).toEqual({ packets: 1, bytes: 50 })
  // 36 in, 10 from other workers; 10 out, 5 to other workers, one dropped.
  expect(after.dropped.gone_disconnected.other.packets).toBe(30)
})

test('what was not published counts for nothing, and each publication replaces the one before', () => {
  const { memory, counters, ledger } = openLedger()
  for (const packets of [3, 8, 9]) {
    counters.packetsReceivedOther = packets
    counters.packetsSent = packets
    ledger.publish()
  }
  counters.packetsReceivedOther = 100
  expect(settled(memory)).toMatchObject({ packetsReceivedOther: 9, packetsSent: 9 })
  expect(settled(createLedger())).toEqual(new RelayCounters())
})

test('a ledger without memory, as before the coordinator has sent it, publishes nothing', () => {
  expect(() => new PacketLedger(new RelayCounters()).publish()).not.toThrow()
})

import { expect, test } from 'vitest'
import { MemoryRelay } from '../../../test/support/memory-relay.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'

test('SendPacket counts packets and payload bytes for the connection they came from, delivered or not (P-050)', async () => {
  const relay = new MemoryRelay()
  const [sender, receiver] = [await relay.login(), await relay.login()]
  sender.packet(receiver.publicKey, new Uint8Array(1_000))
  sender.packet(NodePrivateKey.generate().publicKey(), new Uint8Array(1))
  await sender.sync()
  const received = Array.from(relay.core.sessions, ({ key, tally }) => [
    key.toString(),
    tally.packetsReceived,
    tally.packetBytesReceived,
  ])
  expect(received).toEqual([
    [sender.publicKey.toString(), 2, 1_001],
    [receiver.publicKey.toString(), 0, 0],
  ])
  expect(relay.core.counters).toMatchObject({ packetsReceivedOther: 2, bytesReceived: 1_001 })
})

test.each([
  ['counts it', undefined, 1],
  ['leaves counting to the thread where it leaves', true, 0],
])('SendPacket for a client of another relay %s (P-075)', async (_, isCountedElsewhere, count) => {
  const relay = new MemoryRelay()
  const peer = NodePrivateKey.generate().publicKey()
  let taken = 0
  const destination = {
    local: undefined,
    ...(isCountedElsewhere === undefined ? {} : { isCountedElsewhere }),
    takeSendPacket: () => void taken++,
  }
  relay.core.addLink({ destinationFor: () => destination }).announce(peer)
  const sender = await relay.login()
  sender.packet(peer, 'hello')
  await sender.sync()
  expect([taken, relay.core.counters.packetsForwardedOut]).toEqual([1, count])
})

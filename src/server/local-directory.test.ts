import { expect, test } from 'vitest'
import { KeyMap } from '../keys/key-map.ts'
import { NodePrivateKey, type NodePublicKey } from '../keys/node-key.ts'
import { LocalDirectory } from './local-directory.ts'
import type { Destination, Link, LocalClient } from './ports.ts'
import type { Region } from './region-ports.ts'

const newKey = () => NodePrivateKey.generate().publicKey()

function client(key: NodePublicKey): LocalClient {
  return {
    key,
    local: { takeForwarded() {}, takeForwardedWithoutSource() {} },
    remote: undefined,
    flags: 0,
    info: { canAckPings: false, isProber: false },
    canMesh: false,
    token: undefined,
    isDuplicate: false,
    takeSendPacket() {},
    tellPeerLeft() {},
    tellPresence() {},
    close() {},
  }
}

test('LocalDirectory counts logged-in connections (P-109)', async () => {
  const directory = new LocalDirectory<LocalClient>(new KeyMap<Destination>())
  const key = newKey()
  const connections = [client(key), client(key), client(newKey())]
  for (const connection of connections) await directory.register(connection)
  expect(directory.connections).toBe(3)
  for (const connection of connections.slice(1)) directory.unregister(connection)
  expect(directory.connections).toBe(1)
})

test('LocalDirectory asks the region for awaited peers without a route only (P-315)', async () => {
  const directory = new LocalDirectory<LocalClient>(new KeyMap<Destination>())
  const [here, there, unknown] = [newKey(), newKey(), newKey()]
  const link: Link = { destinationFor: () => ({ local: undefined, takeSendPacket() {} }) }
  const [subscriber, peer] = [client(newKey()), client(here)]
  for (const each of [subscriber, peer]) await directory.register(each)
  directory.registry.announce(there, link)
  directory.subscribePeerGone(subscriber, unknown)
  const missed: NodePublicKey[] = []
  const region: Region = {
    clientConnected() {},
    clientDisconnected() {},
    takeUnknown: () => false,
    noteSource() {},
    missPeer: key => missed.push(key),
    isRelay: () => false,
    closePeer() {},
  }
  directory.joinRegion(region)
  for (const key of [here, there, unknown]) directory.subscribePeerGone(subscriber, key)
  expect(missed).toEqual([unknown])
})

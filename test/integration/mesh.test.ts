import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { FRAME_HEADER_LENGTH } from '../../src/protocol/constants.ts'
import { encodePeerPresent } from '../../src/protocol/encode.ts'
import { MemoryRelay } from '../support/memory-relay.ts'

const MESH_KEY = 'ab'.repeat(32)
const meshRelay = () => new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
const loginMesh = (relay: MemoryRelay) => relay.login({ info: { meshKey: MESH_KEY } })

test('relay tells a watcher the app name of clients that have one (P-071, P-033)', async () => {
  const relay = meshRelay()
  const watcher = await loginMesh(relay)
  const named = await relay.login({ info: { appName: 'derphttp' } })
  watcher.send({ type: 'watchConns' })
  const flood = await watcher.sync()
  const address = { address: '192.0.2.1', port: 4001 }
  expect(flood).toEqual([
    { type: 'peerPresent', peer: watcher.publicKey, address, flags: 2 },
    { type: 'peerPresent', peer: named.publicKey, address, flags: 1, appName: 'derphttp' },
  ])
  expect(encodePeerPresent({ peer: named.publicKey, address, flags: 1 })).toHaveLength(FRAME_HEADER_LENGTH + 51)
})

test('a relay that dialled itself is not told of its own clients (P-070)', async () => {
  const privateKey = NodePrivateKey.generate()
  const relay = new MemoryRelay({ privateKey, meshKey: MeshKey.parse(MESH_KEY) })
  const self = await relay.login({ privateKey, info: { meshKey: MESH_KEY } })
  self.send({ type: 'watchConns' })
  await relay.login()
  expect(await self.sync()).toEqual([])
})

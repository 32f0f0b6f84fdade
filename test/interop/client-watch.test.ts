/** The watch loop of our client on stock derper. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, MeshKey, NodePrivateKey, type NodePublicKey } from '../../src/entries/derphttp.ts'
import { hasGo } from '../support/go-tools.ts'
import { type RunningRelay, startReferenceRelay } from '../support/relays.ts'
import { StockClients } from '../support/stock-client.ts'

const MESH_KEY = '0123456789abcdef'.repeat(4)

describe.skipIf(!hasGo)('watch loop on stock derper', () => {
  let directory: string
  let relay: RunningRelay
  let stock: StockClients
  const opened: Client[] = []

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'client-watch-'))
    const keyFile = join(directory, 'mesh.key')
    writeFileSync(keyFile, `${MESH_KEY}\n`)
    ;[relay, stock] = await Promise.all([startReferenceRelay(['-mesh-psk-file', keyFile]), StockClients.start()])
  })
  afterAll(async () => {
    for (const client of opened) await client[Symbol.asyncDispose]()
    await Promise.all([stock?.stop(), relay?.stop()])
    rmSync(directory, { recursive: true })
  })

  function newClient(options: ConstructorParameters<typeof Client>[2] = {}): Client {
    const client = new Client(NodePrivateKey.generate(), relay.url, options)
    opened.push(client)
    return client
  }

  /** A watcher, and what it was told: `+key` and `-key/reason`. */
  function watch(ignoreServerKey?: NodePublicKey) {
    const watcher = newClient({ meshKey: MeshKey.parse(MESH_KEY) })
    const told: string[] = []
    const stop = new AbortController()
    const over = watcher.runWatchConnectionLoop({
      ignoreServerKey,
      add: ({ peer }) => told.push(`+${peer}`),
      remove: ({ peer, reason }) => told.push(`-${peer}/${reason}`),
      signal: stop.signal,
    })
    const heard = (...texts: string[]) => expect.poll(() => told).toEqual(expect.arrayContaining(texts))
    return { watcher, told, stop, over, heard }
  }

  test('connects and disconnects of stock clients are reported (P-070, P-215)', async () => {
    const publicKey = await stock.login('before', { url: relay.url })
    const { watcher, stop, over, heard } = watch()
    await heard(`+${publicKey}`, `+${watcher.selfPublicKey()}`)
    const later = await stock.ask('new', 'later', { url: relay.url })
    await stock.ask('connect', 'later')
    await heard(`+${later['publicKey']}`)
    await stock.ask('close', 'later')
    await heard(`-${later['publicKey']}/0`)
    stop.abort()
    await over
    await heard(`-${publicKey}/240`, `-${watcher.selfPublicKey()}/240`)
    await stock.ask('close', 'before')
  })

  test('a disconnected watcher reports all peers gone, and is told of them again (P-073, P-215, P-216)', async () => {
    const peer = newClient()
    await peer.recv()
    const { watcher, told, stop, over, heard } = watch()
    await heard(`+${peer.selfPublicKey()}`)
    const meshPeer = newClient({ meshKey: MeshKey.parse(MESH_KEY) })
    await meshPeer.closePeer(watcher.selfPublicKey())
    await heard(`-${peer.selfPublicKey()}/240`)
    told.splice(0)
    await heard(`+${peer.selfPublicKey()}`)
    stop.abort()
    await over
  })

  test('a connection to the caller’s own relay ends the loop (P-217)', async () => {
    const client = newClient()
    await client.connect()
    const { told, over } = watch(client.serverPublicKey())
    await over
    expect(told).toEqual([])
  })
})

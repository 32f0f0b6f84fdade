/** The contract of `Directory`, for every implementation. */

import { describe, expect, test } from 'vitest'
import { NodePrivateKey, type NodePublicKey } from '../../../src/keys/node-key.ts'
import type { Session } from '../../../src/server/session.ts'
import type { LoginOptions, RawClient } from '../../support/raw-client.ts'
import { type ContractRelay, RELAYS } from './relays.ts'

interface LoggedIn {
  readonly client: RawClient
  readonly session: Session
}

/** Logs a client in, and finds its session. */
async function login(relay: ContractRelay, options?: LoginOptions): Promise<LoggedIn> {
  const sessions = () => relay.cores.flatMap(core => [...core.sessions])
  const before = new Set(sessions())
  const client = await relay.login(options)
  const session = sessions().find(one => !before.has(one))
  if (session === undefined) throw new Error('log client in: no session was created')
  return { client, session }
}

const directoryOf = ({ session }: LoggedIn) => session.relay.directory
/** Whether all workers route to the key. */
const isRouted = (relay: ContractRelay, key: NodePublicKey) => relay.cores.map(({ routes }) => routes.has(key))

describe.each(RELAYS)('Directory on %s', (_, start) => {
  test('knows a session everywhere once registered, and nowhere once closed (P-036)', async () => {
    const relay = await start()
    const one = await login(relay)
    const key = one.client.publicKey
    expect(new Set(isRouted(relay, key))).toEqual(new Set([true]))
    const other = await login(relay)
    await relay.rest()
    expect(directoryOf(one).connections).toBe(2)
    other.client.packet(key, 'hello')
    expect(await one.client.message()).toMatchObject({ source: other.client.publicKey })
    one.client.close()
    await relay.rest()
    expect(new Set(isRouted(relay, key))).toEqual(new Set([false]))
    expect(directoryOf(other).connections).toBe(1)
  })

  test('reports sessions that share a key, and routes to the newest, then to the last active (P-065)', async () => {
    const relay = await start()
    const privateKey = NodePrivateKey.generate()
    const [first, second] = [await login(relay, { privateKey }), await login(relay, { privateKey })]
    const sender = await login(relay)
    await relay.rest()
    expect([first, second, sender].map(({ session }) => session.isDuplicate)).toEqual([true, true, false])
    sender.client.packet(privateKey.publicKey(), 'to the second')
    expect(await second.client.message()).toMatchObject({ type: 'receivedPacket' })
    await directoryOf(first).noteActivity(first.session)
    sender.client.packet(privateKey.publicKey(), 'to the first')
    expect(await first.client.message()).toMatchObject({ type: 'receivedPacket' })
    first.client.close()
    await relay.rest()
    expect(second.session.isDuplicate).toBe(false)
    sender.client.packet(privateKey.publicKey(), 'to the second again')
    expect(await second.client.message()).toMatchObject({ type: 'receivedPacket' })
  })

  test('notifies a session once that a peer has left, if it subscribed and is still connected (P-062)', async () => {
    const relay = await start()
    const [asks, leaves, silent, peer] = [
      await login(relay),
      await login(relay),
      await login(relay),
      await login(relay),
    ]
    const key = peer.client.publicKey
    for (const one of [asks, leaves]) directoryOf(one).subscribePeerGone(one.session, key)
    leaves.client.close()
    await relay.rest()
    directoryOf(leaves).subscribePeerGone(leaves.session, key)
    peer.client.close()
    await relay.rest()
    expect(await asks.client.sync()).toEqual([{ type: 'peerGone', peer: key, reason: 0 }])
    expect(await silent.client.sync()).toEqual([])
  })

  test('notifies a watcher of all clients before it resolves, then of each that connects or disconnects (P-070)', async () => {
    const relay = await start()
    const [watcher, before] = [await login(relay), await login(relay)]
    await directoryOf(watcher).watch(watcher.session)
    const flood = (await watcher.client.sync()).map(message => ('peer' in message ? String(message.peer) : ''))
    expect(flood.toSorted()).toEqual([watcher, before].map(({ client }) => String(client.publicKey)).toSorted())
    const later = await login(relay)
    expect(await watcher.client.message()).toMatchObject({ type: 'peerPresent', peer: later.client.publicKey })
    later.client.close()
    expect(await watcher.client.message()).toMatchObject({ type: 'peerGone', peer: later.client.publicKey })
  })

  test('closes all connections of a key before it resolves, and no others (P-073)', async () => {
    const relay = await start()
    const privateKey = NodePrivateKey.generate()
    const shared = [await login(relay, { privateKey }), await login(relay, { privateKey })]
    const other = await login(relay)
    await directoryOf(other).closePeer(privateKey.publicKey())
    expect(shared.map(({ session }) => session.isClosed)).toEqual([true, true])
    expect(new Set(isRouted(relay, privateKey.publicKey()))).toEqual(new Set([false]))
    await Promise.all(shared.map(({ client }) => client.closed()))
    await directoryOf(other).closePeer(NodePrivateKey.generate().publicKey())
    expect(await other.client.sync()).toEqual([])
  })
})

/** The contract of `RouteTable`, for every implementation. */

import { describe, expect, test } from 'vitest'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { TestLink } from '../../support/test-link.ts'
import { RELAYS } from './relays.ts'

const DISCO = Uint8Array.from([...new TextEncoder().encode('TS\u{1F4AC}'), ...new Uint8Array(56)])
const far = NodePrivateKey.generate().publicKey()
const gone = { type: 'peerGone', peer: far, reason: 0 }
const notHere = { type: 'peerGone', peer: far, reason: 1 }

describe.each(RELAYS)('RouteTable on %s', (_, start) => {
  test('sends packets over the link that announced the key first (P-072, P-075)', async () => {
    const relay = await start()
    const [first, second] = [new TestLink(relay.table), new TestLink(relay.table)]
    const client = await relay.login()
    for (const { routes } of [first, second, first]) routes.announce(far)
    expect([first.routes.size, second.routes.size]).toEqual([1, 1])
    await relay.rest()
    client.packet(far, 'one')
    await client.sync()
    await relay.rest()
    first.routes.withdraw(far)
    await relay.rest()
    client.packet(far, 'two')
    await client.sync()
    await relay.rest()
    expect(first.packets).toEqual([{ source: client.publicKey, destination: far, text: 'one' }])
    expect(second.packets).toEqual([{ source: client.publicKey, destination: far, text: 'two' }])
    expect(await relay.counters()).toMatchObject({ packetsForwardedOut: 2, packetsReceivedOther: 2 })
  })

  test('has no route once the last link has withdrawn (P-055, P-061)', async () => {
    const relay = await start()
    const [link, other] = [new TestLink(relay.table), new TestLink(relay.table)]
    const client = await relay.login()
    link.routes.announce(far)
    await relay.rest()
    other.routes.withdraw(far)
    link.routes.withdraw(far)
    link.routes.withdraw(far)
    await relay.rest()
    client.packet(far, DISCO)
    expect(await client.sync()).toEqual([notHere])
    expect([link.packets, link.routes.size]).toEqual([[], 0])
    expect((await relay.counters()).dropped.unknown_dest.disco.packets).toBe(1)
  })

  test('prefers a local client to any link, and falls back when it leaves (P-075)', async () => {
    const relay = await start()
    const link = new TestLink(relay.table)
    const client = await relay.login()
    const privateKey = NodePrivateKey.generate()
    const key = privateKey.publicKey()
    link.routes.announce(key)
    const here = await relay.login({ privateKey })
    client.packet(key, 'here')
    expect(await here.messageOf('receivedPacket')).toMatchObject({ source: client.publicKey })
    here.packet(client.publicKey, 'back')
    await client.messageOf('receivedPacket')
    here.close()
    await relay.rest()
    client.packet(key, 'there')
    // It has not left the region: no one is told of a departure.
    expect(await client.sync()).toEqual([])
    await relay.rest()
    expect(link.texts).toEqual(['there'])
  })

  test('prefers a link to a newer login to clients of its own, until one logs in or the link withdraws (P-304)', async () => {
    const relay = await start()
    const link = new TestLink(relay.table)
    const client = await relay.login()
    const privateKey = NodePrivateKey.generate()
    const key = privateKey.publicKey()
    const older = await relay.login({ privateKey })
    link.routes.announce(key)
    await relay.rest()
    client.packet(key, 'to the older')
    expect(await older.messageOf('receivedPacket')).toMatchObject({ source: client.publicKey })
    link.routes.announce(key, true)
    await relay.rest()
    client.packet(key, 'over the link')
    // Packets from a link are not forwarded.
    const meshPeer = await relay.loginMesh()
    meshPeer.send({ type: 'forwardPacket', source: far, destination: key, data: DISCO })
    expect(await meshPeer.sync()).toEqual([{ type: 'peerGone', peer: key, reason: 1 }])
    expect(await older.sync()).toEqual([])
    link.routes.announce(key, false)
    await relay.rest()
    client.packet(key, 'to the older again')
    expect(await older.messageOf('receivedPacket')).toMatchObject({ source: client.publicKey })
    link.routes.announce(key, true)
    const newest = await relay.login({ privateKey })
    client.packet(key, 'to the newest')
    expect(await newest.messageOf('receivedPacket')).toMatchObject({ source: client.publicKey })
    link.routes.announce(key, true)
    link.routes.withdraw(key)
    await relay.rest()
    client.packet(key, 'to the newest again')
    expect(await newest.messageOf('receivedPacket')).toMatchObject({ source: client.publicKey })
    expect(link.texts).toEqual(['over the link'])
  })

  test('drops a route without notifications, and sends them when another link has withdrawn (P-062, P-314)', async () => {
    const relay = await start()
    const [first, second] = [new TestLink(relay.table), new TestLink(relay.table)]
    const [meshPeer, client] = [await relay.loginMesh(), await relay.login()]
    first.routes.announce(far)
    await relay.rest()
    meshPeer.send({ type: 'forwardPacket', source: far, destination: client.publicKey, data: DISCO })
    expect(await client.message()).toMatchObject({ type: 'receivedPacket', source: far })
    await relay.rest()
    first.routes.forget(far)
    await relay.rest()
    client.packet(far, DISCO)
    expect(await client.sync()).toEqual([notHere])
    expect(first.routes.size).toBe(0)
    second.routes.announce(far)
    await relay.rest()
    second.routes.withdraw(far)
    expect(await client.message()).toEqual(gone)
  })

  test('sends PeerGone to clients that received from a key, once the last link has withdrawn (P-062, P-076)', async () => {
    const relay = await start()
    const [first, second] = [new TestLink(relay.table), new TestLink(relay.table)]
    const [meshPeer, client] = [await relay.loginMesh(), await relay.login()]
    for (const { routes } of [first, second]) routes.announce(far)
    for (const byte of [1, 2]) {
      meshPeer.send({ type: 'forwardPacket', source: far, destination: client.publicKey, data: Uint8Array.of(byte) })
      expect(await client.message()).toMatchObject({ type: 'receivedPacket', source: far })
    }
    await relay.rest()
    first.routes.withdraw(far)
    await relay.rest()
    expect(await client.sync()).toEqual([])
    second.routes.withdrawAll()
    expect(await client.message()).toEqual(gone)
  })

  test('drops all keys of a link that is down, and no others', async () => {
    const relay = await start()
    const [down, up] = [new TestLink(relay.table), new TestLink(relay.table)]
    const client = await relay.login()
    const keys = Array.from({ length: 5 }, () => NodePrivateKey.generate().publicKey())
    for (const key of keys) down.routes.announce(key)
    for (const key of keys.slice(3)) up.routes.announce(key)
    down.routes.withdrawAll()
    down.routes.withdrawAll()
    await relay.rest()
    for (const key of keys) client.packet(key, 'hello')
    await client.sync()
    await relay.rest()
    expect([down.routes.size, up.routes.size]).toEqual([0, 2])
    expect([down.packets, up.packets.map(({ destination }) => destination)]).toEqual([[], keys.slice(3)])
    down.routes.announce(far)
    await relay.rest()
    client.packet(far, 'again')
    await client.sync()
    await relay.rest()
    expect(down.texts).toEqual(['again'])
  })

  test('does not forward packets that arrived over a link (P-072)', async () => {
    const relay = await start()
    const link = new TestLink(relay.table)
    const [meshPeer, client] = [await relay.loginMesh(), await relay.login()]
    link.routes.announce(far)
    await relay.rest()
    meshPeer.send({ type: 'forwardPacket', source: client.publicKey, destination: far, data: DISCO })
    expect(await meshPeer.sync()).toEqual([notHere])
    await relay.rest()
    expect(link.packets).toEqual([])
    const counters = await relay.counters()
    expect(counters.dropped.unknown_dest_on_fwd.disco).toEqual({ packets: 1, bytes: DISCO.length })
    expect(counters).toMatchObject({ packetsForwardedIn: 1, packetsForwardedOut: 0 })
  })
})

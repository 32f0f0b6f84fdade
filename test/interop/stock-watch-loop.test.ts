import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'
import { StockClients } from '../support/stock-client.ts'

const meshKey = '0123456789abcdef'.repeat(4)

describe.skipIf(!hasGo)('stock watch loop on our relay', () => {
  let relay: RunningRelay
  let clients: StockClients

  beforeAll(async () => {
    ;[relay, clients] = await Promise.all([
      startOurRelay([], { TAILSCALE_DERPER_MESH_KEY: meshKey }),
      StockClients.start(),
    ])
  })
  afterAll(async () => {
    await Promise.all([clients?.stop(), relay?.stop()])
  })

  const connected = (name: string) => clients.login(name, { url: relay.url })

  test('the watch loop follows clients, and its forwarded packets arrive (P-070, P-071, P-072)', async () => {
    const early = await connected('early')
    const { publicKey: meshPeer } = await clients.ask('new', 'meshPeer', { url: relay.url, meshKey, watch: true })
    await clients.ask('watchLoop', 'meshPeer', { action: 'start' })
    const present = (key: unknown) =>
      clients.event('meshPeer', line => line.event === 'watchAdd' && line['key'] === key)
    expect(await present(early)).toMatchObject({ type: 'peerPresent', flags: 1 })
    expect(await present(meshPeer)).toMatchObject({ type: 'peerPresent', flags: 2 })
    const late = await connected('late')
    const news = await present(late)
    expect(news['ipPort']).toMatch(/^127\.0\.0\.1:\d+$/)

    await clients.ask('forward', 'meshPeer', { from: early, to: late, dataBase64: 'Zm9yd2FyZGVk' })
    expect(await clients.event('late', line => line.type === 'receivedPacket')).toMatchObject({
      source: early,
      dataBase64: 'Zm9yd2FyZGVk',
    })

    await clients.ask('close', 'late')
    expect(await clients.event('meshPeer', line => line.event === 'watchRemove')).toMatchObject({
      peer: late,
      reason: 0,
    })
  })

  test('a mesh peer closes one of our clients (P-073)', async () => {
    const victim = await connected('victim')
    await clients.ask('new', 'closer', { url: relay.url, meshKey })
    await clients.ask('connect', 'closer')
    await clients.ask('closePeer', 'closer', { to: victim })
    expect(await clients.event('victim', line => line.event === 'recvError')).toMatchObject({ reconnect: false })
  })
})

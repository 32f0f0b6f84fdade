import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goTools, hasGo } from '../support/go-tools.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'
import { StockClients } from '../support/stock-client.ts'

const run = promisify(execFile)

describe.skipIf(!hasGo)('stock Go clients on our relay', () => {
  let relay: RunningRelay
  let clients: StockClients

  beforeAll(async () => {
    ;[relay, clients] = await Promise.all([startOurRelay(), StockClients.start()])
  })
  afterAll(async () => {
    await Promise.all([clients?.stop(), relay?.stop()])
  })

  const connected = (name: string, options: Record<string, unknown> = {}) =>
    clients.login(name, { url: relay.url, ...options })

  test('relay moves 20 MB both ways intact, and packets of every size (P-050, P-051, P-052, P-120)', async () => {
    const { transfer } = await goTools()
    const { stdout } = await run(transfer, ['-url', relay.url, '-bytes', '20000000', '-window', '16'])
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ ok: true, exactSizes: [0, 1, 31, 32, 1000, 1400, 65535, 65536] })
    for (const way of [report.aToB, report.bToA]) {
      expect(way.bytes).toBe(20_000_000)
      expect(way.receivedSha256).toBe(way.sentSha256)
    }
  })

  test('relay sends its key at login and answers pings (P-031, P-091)', async () => {
    await connected('pinger')
    const { serverPublicKey } = await clients.ask('serverPublicKey', 'pinger')
    expect(serverPublicKey).toMatch(/^nodekey:[0-9a-f]{64}$/)
    expect(await clients.ask('ping', 'pinger')).toMatchObject({ ok: true })
  })

  test('relay tells a client when a peer it heard from leaves (P-060, P-062)', async () => {
    const listener = await connected('listener')
    const talker = await connected('talker')
    await clients.ask('send', 'talker', { to: listener, dataBase64: 'aGVsbG8=' })
    const packet = await clients.event('listener', line => line.type === 'receivedPacket')
    expect(packet).toMatchObject({ source: talker, dataBase64: 'aGVsbG8=' })
    await clients.ask('close', 'talker')
    expect(await clients.event('listener', line => line.type === 'peerGone')).toMatchObject({ peer: talker, reason: 0 })
  })

  test('relay accepts a home announcement (P-054)', async () => {
    const home = await connected('home')
    await clients.ask('notePreferred', 'home', { preferred: true })
    await clients.ask('send', 'home', { to: home, dataBase64: 'bWU=' })
    expect(await clients.event('home', line => line.type === 'receivedPacket')).toMatchObject({ source: home })
  })
})

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, NodePrivateKey, NodePublicKey, type ReceivedMessage } from '../../src/entries/derphttp.ts'
import { hasGo } from '../support/go-tools.ts'
import { payload } from '../support/payload.ts'
import { type RunningRelay, startReferenceRelay } from '../support/relays.ts'
import { StockClients } from '../support/stock-client.ts'

const SIZES = [0, 1, 31, 32, 1000, 1400, 65_535, 65_536]
const PIECE_BYTES = 1400
const WINDOW = 16

describe.skipIf(!hasGo)('our client on stock derper', () => {
  let relay: RunningRelay
  let stock: StockClients
  const opened: Client[] = []

  beforeAll(async () => {
    ;[relay, stock] = await Promise.all([startReferenceRelay(), StockClients.start()])
  })
  afterAll(async () => {
    for (const client of opened) await client.close()
    await Promise.all([stock?.stop(), relay?.stop()])
  })

  async function connected(): Promise<Client> {
    const client = new Client(NodePrivateKey.generate(), relay.url)
    opened.push(client)
    expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
    return client
  }

  async function messageOf<T extends ReceivedMessage['type']>(client: Client, type: T) {
    for (;;) {
      const message = await client.recv()
      if (message.type === type) return message as Extract<ReceivedMessage, { type: T }>
    }
  }

  test('a client reads the relay’s key and sends itself packets of every size (P-030, P-050, P-052, P-203, P-204)', async () => {
    const client = await connected()
    expect(String(client.serverPublicKey())).toMatch(/^nodekey:[0-9a-f]{64}$/)
    for (const size of SIZES) {
      await client.send(client.selfPublicKey(), payload(size, size))
      const message = await messageOf(client, 'receivedPacket')
      expect(message.source.equals(client.selfPublicKey())).toBe(true)
      expect(Buffer.compare(message.data, payload(size, size))).toBe(0)
    }
  })

  /** Sends `bytes` in chunks within a window, acknowledges received ones, and hashes both. */
  async function exchange(client: Client, peer: NodePublicKey, bytes: Uint8Array, expected: number): Promise<string> {
    const hash = createHash('sha256')
    let received = 0
    let sent = 0
    let underWay = 0
    while (sent < bytes.length || received < expected || underWay > 0) {
      while (underWay < WINDOW && sent < bytes.length) {
        await client.send(peer, bytes.subarray(sent, sent + PIECE_BYTES))
        sent += PIECE_BYTES
        underWay++
      }
      const { data } = await messageOf(client, 'receivedPacket')
      if (data.length === 0) {
        underWay--
        continue
      }
      hash.update(data)
      received += data.length
      await client.send(peer, new Uint8Array(0))
    }
    return hash.digest('hex')
  }

  test('two clients move 20 MB both ways intact (P-050, P-051)', async () => {
    const [a, b] = [await connected(), await connected()]
    const [fromA, fromB] = [payload(20_000_000, 1), payload(20_000_000, 2)]
    const digests = await Promise.all([
      exchange(a, b.selfPublicKey(), fromA, fromB.length),
      exchange(b, a.selfPublicKey(), fromB, fromA.length),
    ])
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    expect(digests).toEqual([digest(fromB), digest(fromA)])
  })

  test('our client and the stock client exchange packets, and are told when the other leaves (P-051, P-060, P-062)', async () => {
    const client = await connected()
    const peer = NodePublicKey.parse(await stock.login('peer', { url: relay.url }))
    for (const size of SIZES) {
      await client.send(peer, payload(size, 7))
      const event = await stock.event('peer', line => line.type === 'receivedPacket')
      expect(event['source']).toBe(String(client.selfPublicKey()))
      expect(Buffer.from(event['dataBase64'] as string, 'base64').equals(payload(size, 7))).toBe(true)
      await stock.ask('send', 'peer', { to: String(client.selfPublicKey()), size, seed: 9 })
      const message = await messageOf(client, 'receivedPacket')
      expect(Buffer.compare(message.data, payload(size, 9))).toBe(0)
    }
    await stock.ask('close', 'peer')
    expect(await messageOf(client, 'peerGone')).toMatchObject({ reason: 0 })
  })

  test('a client pings, announces its home, and is told of unknown peers (P-054, P-061, P-091, P-207)', async () => {
    const client = await connected()
    await client.notePreferred(true)
    const reading = messageOf(client, 'peerGone')
    await client.ping()
    const disco = Uint8Array.from([...new TextEncoder().encode('TS\u{1F4AC}'), ...new Uint8Array(56)])
    const nobody = NodePrivateKey.generate().publicKey()
    await client.send(nobody, disco)
    expect(await reading).toMatchObject({ peer: nobody, reason: 1 })
  })
})

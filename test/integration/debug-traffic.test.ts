import { get, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { TRAFFIC_INTERVAL_MS } from '../../src/http/debug/debug-traffic.ts'
import { type DebugServer, startDebugServer } from '../support/debug-server.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { settle, until } from '../support/settle.ts'

/** A reader of `/debug/traffic`; a round ends with an empty line. */
class TrafficReader {
  readonly response: IncomingMessage
  #text = ''

  constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
    })
    response.on('error', () => {})
  }

  static open(server: DebugServer): Promise<TrafficReader> {
    return new Promise((resolve, reject) => {
      get(`${server.url}/debug/traffic`, { agent: false }, response => resolve(new TrafficReader(response))).once(
        'error',
        reject,
      )
    })
  }

  /** The lines of the next round. */
  async round(): Promise<{ Sent: number; Recv: number; Key: string }[]> {
    await until(() => /(?:^|\n)\n/.test(this.#text), 'a round of traffic')
    const end = this.#text.startsWith('\n') ? 0 : this.#text.indexOf('\n\n') + 1
    const lines = this.#text
      .slice(0, end)
      .split('\n')
      .filter(line => line !== '')
    this.#text = this.#text.slice(end + 1)
    return lines.map(line => JSON.parse(line))
  }
}

test('/debug/traffic lists connections with traffic every 2 s, with exact totals (P-198)', async () => {
  const relay = new MemoryRelay()
  await using server = await startDebugServer(relay)
  const [a, b] = [await relay.login(), await relay.login()]
  const quiet = await relay.login()
  const reader = await TrafficReader.open(server)
  expect(reader.response.headers['content-type']).toBe('text/plain; charset=utf-8')

  const first = await reader.round()
  expect(first.map(({ Key }) => Key)).toEqual([a, b, quiet].map(({ publicKey }) => publicKey.toString()))
  // Greeting and ServerInfo sent, ClientInfo received, each with header.
  const [login] = first
  expect(login).toMatchObject({ Sent: 5 + 40 + (5 + 40 + '{"version":2}'.length) })
  expect(login?.Recv).toBe((await a.hello()).length)

  a.packet(b.publicKey, new Uint8Array(1_000))
  await b.messageOf('receivedPacket')
  relay.clock.advance(TRAFFIC_INTERVAL_MS - 1)
  await settle()
  relay.clock.advance(1)
  const second = await reader.round()
  expect(second).toEqual([
    { Sent: login?.Sent, Recv: (login?.Recv ?? 0) + 5 + 32 + 1_000, Key: a.publicKey.toString() },
    { Sent: (first[1]?.Sent ?? 0) + 5 + 32 + 1_000, Recv: first[1]?.Recv, Key: b.publicKey.toString() },
  ])

  relay.clock.advance(TRAFFIC_INTERVAL_MS)
  expect(await reader.round()).toEqual([])
  reader.response.destroy()
})

test('/debug/traffic counts frames that arrived with the login (P-037, P-198)', async () => {
  const relay = new MemoryRelay()
  await using server = await startDebugServer(relay)
  const client = relay.connect()
  await client.greeting()
  const hello = await client.hello()
  const ping = Uint8Array.of(0x12, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8)
  client.sendBytes(Uint8Array.of(...hello, ...ping))
  await client.serverInfo()
  await client.messageOf('pong')
  const reader = await TrafficReader.open(server)
  expect(await reader.round()).toEqual([
    { Sent: 45 + 58 + 13, Recv: hello.length + 13, Key: client.publicKey.toString() },
  ])
  reader.response.destroy()
})

test('/debug/traffic ends when its reader disconnects (P-198)', async () => {
  const relay = new MemoryRelay()
  await using server = await startDebugServer(relay)
  const timers = relay.clock.pendingTimers
  const reader = await TrafficReader.open(server)
  await reader.round()
  await until(() => relay.clock.pendingTimers > timers, 'the next round is scheduled')
  reader.response.destroy()
  await until(() => relay.clock.pendingTimers === timers, 'nothing is scheduled')
})

test('/debug/traffic has no body for HEAD (P-198)', async () => {
  await using server = await startDebugServer(new MemoryRelay())
  const response = await fetch(`${server.url}/debug/traffic`, { method: 'HEAD' })
  expect([response.status, await response.text()]).toEqual([200, ''])
})

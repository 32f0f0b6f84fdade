import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { createRelay, type Relay, type RelayOptions } from '../../src/relay.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { RawClient } from '../support/raw-client.ts'

/** A program with its own page and a relay, as in the README. */
async function program(): Promise<{ relay: Relay; server: Server; url: string }> {
  const relay = createRelay({ privateKey: NodePrivateKey.generate() })
  const server = createServer((request, response) => {
    if (request.url === '/own') response.end('own page')
    else relay.handleRequest(request, response)
  })
  server.on('upgrade', relay.handleUpgrade)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { relay, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function stop({ relay, server }: { relay: Relay; server: Server }): Promise<void> {
  relay.close()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
}

test('a relay can be mounted in an existing server, beside its pages (P-120, P-160)', async () => {
  const own = await program()
  expect(await (await fetch(`${own.url}/own`)).text()).toBe('own page')
  expect((await fetch(`${own.url}/derp/probe`)).status).toBe(200)
  expect((await fetch(`${own.url}/derp`)).status).toBe(426)
  const client = new Client(NodePrivateKey.generate(), `${own.url}/derp`)
  expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
  const { relay } = await own.relay.metrics()
  expect(relay.counters.currentConnections).toBe(1)
  await client.close()
  await stop(own)
})

test('an upgrade to another protocol gets a response and is closed', async () => {
  const own = await program()
  const { request } = await import('node:http')
  const status = await new Promise(resolve => {
    const sent = request(`${own.url}/chat`, { headers: { Upgrade: 'chat', Connection: 'Upgrade' } })
    sent.on('response', response => resolve(response.statusCode))
    sent.end()
  })
  expect(status).toBe(404)
  await stop(own)
})

test('two relays in one process are independent', async () => {
  const relays = [0, 1].map(() => createRelay({ privateKey: NodePrivateKey.generate() }))
  const clients = await Promise.all(
    relays.map(relay => {
      const [client, server] = memoryConnPair()
      relay.accept(server)
      return RawClient.login(client)
    }),
  )
  const [a, b] = clients as [RawClient, RawClient]
  a.packet(b.publicKey, 'lost')
  await a.sync()
  expect(await b.sync()).toEqual([])
  expect(relays.map(({ core }) => core.counters.dropped.unknown_dest.other.packets)).toEqual([1, 0])
  for (const relay of relays) relay.close()
})

test.each<[unknown, string]>([
  [undefined, 'undefined, not a NodePrivateKey'],
  [{}, 'undefined, not a NodePrivateKey'],
  [{ privateKey: 'privkey:00' }, 'a string, not a NodePrivateKey; NodePrivateKey.parse reads text'],
  [{ privateKey: Promise.resolve() }, 'a Promise, not a NodePrivateKey; await it'],
])('a relay without a key says so: %j', (options, reason) => {
  const message = `create relay: privateKey is ${reason}`
  expect(() => createRelay(options as RelayOptions)).toThrow(new TypeError(message))
})

/** Shutdown of the command: gradual with one signal, immediate with two. */

import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Client, isDerpError, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { drainLineOf } from '../support/region.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'
import { RUNTIME_NAME } from '../support/runtime.ts'

const relays: RunningRelay[] = []
afterEach(() => Promise.all(relays.splice(0).map(({ program }) => program.stop('SIGKILL'))))

async function start(...flags: string[]): Promise<RunningRelay> {
  const relay = await startOurRelay(flags)
  relays.push(relay)
  return relay
}

async function login({ url }: RunningRelay): Promise<Client> {
  const client = new Client(NodePrivateKey.generate(), url)
  expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
  return client
}

/** Reads until the connection ends; resolves to the error code. */
async function endOf(client: Client): Promise<string | undefined> {
  try {
    for (;;) await client.recv()
  } catch (error) {
    return isDerpError(error) ? error.code : String(error)
  }
}

/** A raw client, which controls how much it reads. */
async function rawLogin({ port }: RunningRelay): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  const { body } = await exchange(
    socket,
    'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n',
  )
  return RawClient.login(new NodeConn(socket, body))
}

/** As shown in the log. */
const RUNTIME = { node: `Node.js ${process.versions.node}`, bun: 'Bun 1.4.5' }[RUNTIME_NAME]

test('SIGTERM makes the relay unready immediately, but it accepts clients for -drain-delay; a second signal ends it immediately (P-171, P-174)', async () => {
  const relay = await start('-drain-delay', '1h', '-drain-time', '1h', '-drain-deadline', '0')
  const ready = async () => {
    const response = await fetch(`http://127.0.0.1:${relay.port}/readyz`)
    return [response.status, await response.text()]
  }
  const [started] = await relay.program.stderrMatch(/^.*"msg":"started".*$/m)
  expect(JSON.parse(started)).toMatchObject({
    level: 'info',
    runtime: RUNTIME,
    plan: { relay: 'on', admission: 'everyone' },
  })
  expect(await ready()).toEqual([200, 'ready\n'])
  const early = await login(relay)
  relay.program.child.kill('SIGTERM')
  await relay.program.stderrMatch(/"msg":"drain begins"/)
  expect(await ready()).toEqual([503, 'not ready\ndraining: the relay is shutting down\n'])
  const late = await login(relay)
  const ends = Promise.all([endOf(early), endOf(late)])
  relay.program.child.kill('SIGINT')
  expect(await drainLineOf(relay.program)).toMatchObject({ told: 2, cut: 2 })
  expect(await relay.program.exit()).toBe(0)
  expect(await ends).toEqual(['ERR_DERP_CONN_CLOSED', 'ERR_DERP_CONN_CLOSED'])
  await Promise.all([early.close(), late.close()])
})

test('SIGTERM disconnects clients that do not read by -drain-deadline, and counts their packets (P-102, P-174)', async () => {
  const relay = await start('-drain-deadline', '3s', '-tcp-write-timeout', '0')
  const [stuck, sender] = [await rawLogin(relay), await rawLogin(relay)]
  stuck.conn.pause()
  // More than the socket buffers of both ends can hold.
  const big = new Uint8Array(65_000)
  for (let n = 0; n < 300; n++) {
    sender.packet(stuck.publicKey, big)
    if (n % 30 === 29) await sender.sync()
  }
  relay.program.child.kill('SIGTERM')
  const words = await drainLineOf(relay.program)
  expect(await relay.program.exit()).toBe(0)
  const dropped = Object.values(words['packetsDropped'] as Record<string, number>).reduce((a, b) => a + b, 0)
  expect(words).toMatchObject({ told: 2, moved: 1, cut: 1, packetsReceived: 300, packetsSent: 300 - dropped })
  expect(words['packetsDropped']).toMatchObject({ write_error: expect.any(Number) })
})

test('SIGINT drains, but in development mode it ends the relay immediately', async () => {
  const relay = await start()
  const client = await login(relay)
  relay.program.child.kill('SIGINT')
  expect(await endOf(client)).toBe('ERR_DERP_CONN_CLOSED')
  expect(await relay.program.exit()).toBe(0)
  expect(relay.program.stderr).not.toContain('drain')
  await client.close()
})

test('SIGTERM while or just after the last client leaves ends the relay with code 0', async () => {
  for (const closes of [false, true]) {
    const relay = await start('-drain-time', '1s')
    const client = await login(relay)
    const closing = closes ? await client.close() : client.close()
    relay.program.child.kill('SIGTERM')
    await closing
    expect(await drainLineOf(relay.program)).toMatchObject({ cut: 0 })
    expect(await relay.program.exit()).toBe(0)
  }
})

test('SIGTERM does not wait for pending DNS lookups', async () => {
  const privateKey = NodePrivateKey.generate()
  // Takes questions and never answers; the relay asks for itself, too, when it starts.
  const asked = Promise.withResolvers<void>()
  const source = createServer(question => {
    question.on('data', chunk => {
      if (String(chunk).includes(String(privateKey.publicKey()))) asked.resolve()
    })
  })
  await new Promise<void>(resolve => source.listen(0, '127.0.0.1', resolve))
  const { port } = source.address() as AddressInfo
  const relay = await start('-verify-client-url', `http://127.0.0.1:${port}/`)
  const client = new Client(privateKey, relay.url)
  const ended = endOf(client)
  await asked.promise
  relay.program.child.kill('SIGTERM')
  expect(await relay.program.exit()).toBe(0)
  // What it would log after the 5 s timeout.
  expect(relay.program.stderr).not.toContain('admission source does not answer')
  expect(await ended).toBe('ERR_DERP_CONN_CLOSED')
  await client.close()
  source.close()
  source.closeAllConnections()
})

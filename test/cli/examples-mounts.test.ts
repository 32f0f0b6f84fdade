/** The examples that mount a relay in a server of a framework, run as their READMEs say. */

import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { BrowserClient } from '../../src/client/browser/browser-client.ts'
import { WebPrivateKey } from '../../src/keys/web-key.ts'
import { Example } from '../support/example.ts'
import { exchange, loginAt } from '../support/relay-clients.ts'

/** What the server of a path says to an upgrade that it does not take. */
async function refusalOf(url: string): Promise<number | undefined> {
  const socket = new WebSocket(url)
  const [asked, response] = await once(socket, 'unexpected-response')
  asked.destroy()
  return response.statusCode
}

test.each(['express', 'fastify', 'hono'])('%s: a relay beside another WebSocket, and a page', async name => {
  await using example = new Example(name)
  const server = await example.step({ env: { PORT: '0' } })
  const url = await server.lineWhere(line => /^listening on (http:\/\/localhost:\d+)\/$/.exec(line)?.[1])

  const page = await example.step({ values: { 'http://localhost:3000': url } })
  expect([await page.exit(), page.stdout]).toEqual([0, 'A relay is at /derp, an echo at /echo.\n'])
  const probe = await example.step({ values: { 'http://localhost:3000': url } })
  expect([await probe.exit(), probe.stdout]).toEqual([0, expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n/)])

  const echo = new WebSocket(`${url.replace('http', 'ws')}/echo`)
  await once(echo, 'open')
  const [a, b] = [await loginAt(`${url}/derp`), await loginAt(`${url}/derp`)] as const
  await exchange(a, b)
  // The relay takes WebSockets too, and leaves the other one alone.
  const web = new BrowserClient(await WebPrivateKey.generate(), `${url}/derp`)
  expect(await web.recv()).toMatchObject({ type: 'serverInfo' })
  echo.send('still there')
  expect(String((await once(echo, 'message'))[0])).toBe('still there')
  expect(await refusalOf(`${url.replace('http', 'ws')}/other`)).toBe(404)

  // Ctrl-C: everybody is told, and the program ends by itself.
  const told = [once(echo, 'close'), a.recv(), web.recv()] as const
  server.child.kill('SIGINT')
  const [[code], ...restarts] = await Promise.all(told)
  expect(code).toBe(1001)
  expect(restarts).toMatchObject([{ type: 'serverRestarting' }, { type: 'serverRestarting' }])
  expect([await server.exit(), server.stderr, example.left]).toEqual([0, '', []])
  await Promise.all([a.close(), b.close(), web.close()])
})

/** Gives localhost both addresses, which it has not on every machine. */
const BOTH_ADDRESSES = `import dns from 'node:dns'
const { lookup } = dns
const both = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }]
dns.lookup = (name, options, callback) =>
  name === 'localhost' && options.all ? process.nextTick(callback, null, both) : lookup(name, options, callback)`

test('fastify: either address of localhost, each with a server of its own, has the relay and the other WebSocket', async () => {
  await using example = new Example('fastify')
  const preload = `--import=data:text/javascript,${encodeURIComponent(BOTH_ADDRESSES)}`
  const server = await example.step({ env: { PORT: '0', NODE_OPTIONS: preload } })
  const port = await server.lineWhere(line => /:(\d+)\/$/.exec(line)?.[1])
  for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`]) {
    const echo = new WebSocket(`ws://${host}/echo`)
    await once(echo, 'open')
    // Whatever the relay answers comes before the echo.
    echo.send('hello')
    expect(String((await once(echo, 'message'))[0])).toBe('hello')
    expect(await refusalOf(`ws://${host}/other`)).toBe(404)
    const [a, b] = [await loginAt(`http://${host}/derp`), await loginAt(`http://${host}/derp`)] as const
    await exchange(a, b)
    await Promise.all([a.close(), b.close()])
    echo.terminate()
  }
  const client = await loginAt(`http://[::1]:${port}/derp`)
  server.child.kill('SIGINT')
  expect(await client.recv()).toMatchObject({ type: 'serverRestarting' })
  expect([await server.exit(), server.stderr]).toEqual([0, ''])
  await client.close()
})

test.each(['express', 'fastify', 'hono'])('%s: says that its port is taken, and ends', async name => {
  await using example = new Example(name)
  await using taken = new Example(name)
  const first = await taken.step({ env: { PORT: '0' } })
  const port = await first.lineWhere(line => /:(\d+)\/$/.exec(line)?.[1])
  const second = await example.step({ env: { PORT: port } })
  expect([await second.exit(), second.stderr]).toEqual([1, expect.stringContaining(`listen on port ${port}: `)])
})

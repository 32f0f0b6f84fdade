import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startConnectProxy } from '../../test/support/connect-proxy.ts'
import { listenOnLoopback } from '../../test/support/socket-server.ts'
import { HttpClient } from './http-client.ts'

interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server that records requests. */
async function startServer(respond: (response: ServerResponse, request: Received, socket: Socket) => void) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const { method, url: path, headers } = request
      const entry = { method, path, headers, body }
      received.push(entry)
      respond(response, entry, request.socket)
    })
  })
  const listening = await listenOnLoopback(server)
  return { ...listening, received, url: `http://127.0.0.1:${listening.port}` }
}

const clients: HttpClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

function client(env: Record<string, string> = {}): HttpClient {
  const made = new HttpClient(env, 4)
  clients.push(made)
  return made
}

async function post(http: HttpClient, url: string): Promise<readonly [number, string]> {
  const headers = { Authorization: 'Basic secret', 'Content-Type': 'application/json' }
  const { signal } = new AbortController()
  const response = await http.send({ url: new URL(url), headers, body: '{"a":1}', signal })
  return [response.status, new TextDecoder().decode(await response.read(100))]
}

test('HttpClient uses one connection for several requests', async () => {
  const sockets = new Set<Socket>()
  await using server = await startServer((response, _, socket) => {
    sockets.add(socket)
    response.end('ok')
  })
  const http = client()
  for (let n = 0; n < 3; n++) expect(await post(http, server.url)).toEqual([200, 'ok'])
  expect(sockets.size).toBe(1)
  expect(server.received[0]).toMatchObject({ method: 'POST', body: '{"a":1}', headers: { 'content-length': '7' } })
})

test('HttpClient sends a request again if a kept connection was closed before it', async () => {
  let requests = 0
  await using server = await startServer((response, _, socket) => {
    if (++requests === 2) socket.destroy()
    else response.end(`response ${requests}`)
  })
  const http = client()
  expect(await post(http, server.url)).toEqual([200, 'response 1'])
  expect(await post(http, server.url)).toEqual([200, 'response 3'])
})

test.each([
  [307, 'POST', '{"a":1}'],
  [308, 'POST', '{"a":1}'],
  [301, 'GET', ''],
  [302, 'GET', ''],
  [303, 'GET', ''],
])('HttpClient follows a redirect with status %i by %s', async (status, method, body) => {
  await using server = await startServer((response, { path }) => {
    if (path === '/moved') response.end('there')
    else response.writeHead(status, { Location: '/moved' }).end()
  })
  expect(await post(client(), server.url)).toEqual([200, 'there'])
  expect(server.received[1]).toMatchObject({ method, body, headers: { authorization: 'Basic secret' } })
})

test('HttpClient sends the password to no other host, and follows ten redirects only', async () => {
  await using other = await startServer(response => response.end('other'))
  await using server = await startServer((response, { path }) => {
    response.writeHead(307, { Location: path === '/other' ? other.url : '/again' }).end()
  })
  expect(await post(client(), `${server.url}/other`)).toEqual([200, 'other'])
  expect(other.received[0]?.headers.authorization).toBeUndefined()
  await expect(post(client(), server.url)).rejects.toThrow('more than 10 redirects')
})

test('HttpClient uses the proxy of the environment, but never for this machine or for NO_PROXY', async () => {
  await using server = await startServer(response => response.end('direct'))
  await using proxy = await startServer((response, { path }) => response.end(`proxied ${path}`))
  const env = { HTTP_PROXY: proxy.url, NO_PROXY: 'inner.test' }
  expect(await post(client(env), 'http://outer.test/verify')).toEqual([200, 'proxied http://outer.test/verify'])
  expect(await post(client(env), server.url)).toEqual([200, 'direct'])
  await expect(post(client(env), 'http://inner.test/')).rejects.toThrow('inner.test')
  await using tunnel = await startConnectProxy()
  await expect(
    post(client({ HTTPS_PROXY: `http://127.0.0.1:${tunnel.port}` }), 'https://outer.test:9/'),
  ).rejects.toThrow()
  expect(tunnel.targets).toEqual(['outer.test:9'])
  expect(() => client({ HTTP_PROXY: 'ftp://proxy.test' })).toThrow('HTTP_PROXY')
})

test('HttpClient rejects a body that is too long or cut off', async () => {
  await using long = await startServer(response => response.end('x'.repeat(101)))
  await expect(post(client(), long.url)).rejects.toThrow('response longer than 100 bytes')
  await using cut = await startServer((response, _, socket) => {
    response.writeHead(200, { 'Content-Length': '99' }).write('half', () => socket.destroy())
  })
  await expect(post(client(), cut.url)).rejects.toThrow('aborted')
})

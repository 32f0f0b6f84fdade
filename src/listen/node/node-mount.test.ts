import { EventEmitter } from 'node:events'
import { createServer, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { exchange } from '../../../test/support/raw-http.ts'
import type { HttpService } from '../http-service.ts'
import { requestHandler, upgradeHandler } from './node-mount.ts'

const service: HttpService = {
  answer: () => ({ protocol: 'derp', responseHead: '', remote: undefined, accept: () => {} }),
}

/** Asks a handler for an upgrade of `/chat`; the service has `/derp`. */
function askForChat(emitter: unknown, server?: EventEmitter | null) {
  const [client, served] = duplexPair()
  // As in node:http: `server` is the one that accepted the connection.
  const message = new IncomingMessage(Object.assign(served, { server }) as unknown as Socket)
  message.url = '/chat'
  const response = exchange(client as Socket, ' ')
  upgradeHandler(service, target => target === '/derp').call(emitter as EventEmitter, message, served, Buffer.alloc(0))
  return { client, response, served }
}

function emitterWith(listeners: number): EventEmitter {
  const emitter = new EventEmitter()
  for (let n = 0; n < listeners; n++) emitter.on('upgrade', () => {})
  return emitter
}

test('a grant that a server has read as an ordinary request gets status 426 (P-124)', async () => {
  const [client, served] = duplexPair()
  createServer(requestHandler(service)).emit('connection', served)
  const { status, headers } = await exchange(client as Socket, 'GET /derp HTTP/1.1\r\nHost: h\r\n\r\n')
  expect([status, headers.get('content-length')]).toEqual([426, '0'])
})

test.each([
  ['no server is known', undefined, undefined],
  ['the socket has left its server', undefined, null],
  ['the server has no other listener', undefined, emitterWith(1)],
  ['the emitter has no other listener', emitterWith(1), emitterWith(2)],
])('an upgrade of another path gets status 404 where %s (P-150)', async (_, emitter, server) => {
  const { response } = askForChat(emitter, server)
  const { status, headers, body } = await response
  expect([status, headers.get('content-type'), String(body)]).toEqual([
    404,
    'text/plain; charset=utf-8',
    'no upgrade here\n',
  ])
})

test.each([
  ['the server', undefined, emitterWith(2)],
  ['the emitter', emitterWith(2), emitterWith(1)],
])('an upgrade of another path is left to the other listeners of %s (P-150)', async (_, emitter, server) => {
  const { client, response, served } = askForChat(emitter, server)
  served.end('HTTP/1.1 299 Theirs\r\n\r\n')
  expect((await response).status).toBe(299)
  client.destroy()
})

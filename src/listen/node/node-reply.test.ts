import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { exchange } from '../../../test/support/raw-http.ts'
import { settle, until } from '../../../test/support/settle.ts'
import { writeReply } from './node-reply.ts'

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'
/** More than a connection holds. */
const HUGE = 'x'.repeat(1 << 20)

interface Asked {
  readonly client: Duplex
  readonly response: ServerResponse
  /** What the watch was told. */
  readonly told: string[]
  readonly watch: { readonly taking: () => void; readonly taken: () => void }
}

/** A request that waits for its reply. */
async function ask(text = GET): Promise<Asked> {
  const [client, served] = duplexPair()
  const server = createServer()
  const requested = once(server, 'request')
  server.emit('connection', served)
  client.write(text)
  const [, response] = (await requested) as [unknown, ServerResponse]
  const told: string[] = []
  const watch = { taking: () => void told.push('taking'), taken: () => void told.push('taken') }
  return { client, response, told, watch }
}

/** The reply, as the client reads it, up to `end`. */
async function textOf(client: Duplex, end: string): Promise<string> {
  let text = ''
  client.on('data', chunk => (text += String(chunk)))
  await until(() => text.endsWith(end), 'the reply has ended')
  return text
}

async function* piecesOf(...pieces: string[]) {
  yield* pieces
}

test('a reply has its status, headers and the length of its body in bytes (P-107)', async () => {
  const { client, response, told, watch } = await ask()
  void writeReply(response, { status: 201, headers: { 'X-Own': 'yes' }, body: 'ä!' }, watch)
  const text = await textOf(client, '!')
  expect(text).toMatch(/^HTTP\/1.1 201 Created\r\nX-Own: yes\r\nContent-Length: 3\r\n/)
  expect(text).toMatch(/\r\n\r\nä!$/)
  expect(told).toEqual(['taking'])
})

test('a reply in pieces has its headers and all pieces, and ends; each piece counts as taken (P-107)', async () => {
  const { client, response, told, watch } = await ask()
  void writeReply(response, { status: 200, headers: { 'X-Own': 'yes' }, body: piecesOf('one', 'two') }, watch)
  const text = await textOf(client, '\r\n0\r\n\r\n')
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\nX-Own: yes\r\n/)
  // Node may join pieces that are written in the same turn.
  expect(text.slice(text.indexOf('\r\n\r\n')).replaceAll(/[\r\n\d]/g, '')).toBe('onetwo')
  expect(told).toEqual(['taken', 'taken', 'taken'])
})

test('HEAD gets the headers of a reply, and no piece is made', async () => {
  const { client, response } = await ask('HEAD / HTTP/1.1\r\nHost: h\r\n\r\n')
  let isMade = false
  async function* pieces() {
    isMade = true
    yield 'one'
  }
  void writeReply(response, { status: 200, headers: { 'X-Own': 'yes' }, body: pieces() })
  expect(await textOf(client, '\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK\r\nX-Own: yes\r\n.*\r\n\r\n$/s)
  expect(isMade).toBe(false)
})

test('a piece that the client does not take at once is watched until it has (P-107)', async () => {
  const { client, response, told, watch } = await ask()
  const listeners = () => response.listenerCount('drain') + response.listenerCount('close')
  const before = listeners()
  const held = Promise.withResolvers<void>()
  async function* pieces() {
    yield HUGE
    await held.promise
  }
  const written = writeReply(response, { status: 200, body: pieces() }, watch)
  await until(() => told.length === 2, 'the piece is written')
  await settle()
  expect(told).toEqual(['taken', 'taking'])
  client.resume()
  await until(() => told.length === 3, 'the client has taken the piece')
  expect(told).toEqual(['taken', 'taking', 'taken'])
  expect(listeners()).toBe(before)
  held.resolve()
  await written
})

test('no piece is made after a client has left that was slow to take one', async () => {
  const { response, told, watch } = await ask()
  let made = 0
  async function* pieces() {
    for (; made < 10; ) {
      made++
      yield HUGE
    }
  }
  const written = writeReply(response, { status: 200, body: pieces() }, watch)
  await until(() => told.length === 2, 'the piece is written')
  response.destroy()
  await written
  expect(made).toBe(1)
})

test('a piece that is made after the client has left is not written', async () => {
  const { response, told, watch } = await ask()
  const made = Promise.withResolvers<string>()
  async function* pieces() {
    yield made.promise
  }
  const written = writeReply(response, { status: 200, body: pieces() }, watch)
  response.destroy()
  await once(response, 'close')
  made.resolve('late')
  await settle()
  expect(told).toEqual(['taken'])
  await written
})

test('a reply that is made after the client has left is not written', async () => {
  const { response, told, watch } = await ask()
  response.destroy()
  await once(response, 'close')
  await writeReply(response, Promise.resolve({ status: 200, body: 'late' }), watch)
  expect([told, response.headersSent]).toEqual([[], false])
})

test('a service that fails gives status 500, without a body (P-107)', async () => {
  const { client, response } = await ask()
  void writeReply(response, Promise.reject(new Error('make reply: no')))
  const { status, headers } = await exchange(client as Socket, '')
  expect([status, headers.get('content-length')]).toEqual([500, '0'])
})

test('a service that fails after its first piece closes the connection: the reply must not look whole', async () => {
  const { response } = await ask()
  async function* pieces() {
    yield 'first'
    throw new Error('make piece: no')
  }
  await writeReply(response, { status: 200, body: pieces() })
  expect([response.destroyed, response.writableEnded]).toEqual([true, false])
})

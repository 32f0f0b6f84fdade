import { once } from 'node:events'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { bunPlainHttp } from './bun-plain-http.ts'

/** Sends the first bytes, and reads what is left in the connection once they were looked at. */
async function lookAt(bytes: Buffer): Promise<{ isPlainHttp: boolean; left: Buffer }> {
  const socket = new PassThrough()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  bunPlainHttp.look?.(socket as unknown as Socket, resolve)
  socket.write(bytes)
  const isPlainHttp = await promise
  return { isPlainHttp, left: socket.read() as Buffer }
}

test.each([
  ['AZ /', true],
  ['GET / HTTP/1.1', true],
  ['ZA /', true],
  ['@GET', false],
  ['[GET', false],
  ['\x16\x03\x01', false],
])(
  'on Bun, a connection that begins with %j is plain HTTP: %s; its bytes stay in it (P-142)',
  async (text, expected) => {
    const bytes = Buffer.from(text, 'latin1')
    expect(await lookAt(bytes)).toEqual({ isPlainHttp: expected, left: bytes })
  },
)

test('on Bun, a connection without a byte is not judged (P-142)', async () => {
  const socket = new PassThrough()
  const judged: boolean[] = []
  bunPlainHttp.look?.(socket as unknown as Socket, isPlainHttp => judged.push(isPlainHttp))
  const closed = once(socket, 'close')
  socket.end()
  await closed
  expect(judged).toEqual([])
})

test('on Bun, the socket of a failed handshake cannot be written to (P-142)', () => {
  expect(bunPlainHttp.canReplyLate).toBe(false)
})

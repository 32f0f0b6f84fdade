import { once } from 'node:events'
import { duplexPair, PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { readFirstBytes } from './first-bytes.ts'

const firstLine = (bytes: Buffer) => {
  const end = bytes.indexOf('\n')
  return end === -1 ? undefined : bytes.toString('latin1', 0, end)
}

test('readFirstBytes gathers pieces until they are enough, and leaves the rest in the stream', async () => {
  const socket = new PassThrough()
  const { promise, resolve } = Promise.withResolvers<readonly [string, string]>()
  readFirstBytes(socket, firstLine, (line, bytes) => resolve([line, bytes.toString()]))
  for (const piece of ['one', ' line\nan', 'd more']) {
    socket.write(piece)
    await new Promise(setImmediate)
  }
  expect(await promise).toEqual(['one line', 'one line\nan'])
  expect(socket.listenerCount('readable')).toBe(0)
  expect(String(socket.read())).toBe('d more')
})

test('readFirstBytes destroys a connection that ends before that, though it could still be written to', async () => {
  const [client, served] = duplexPair()
  const ended = once(served, 'end')
  readFirstBytes(served, firstLine, () => {
    throw new Error('read first bytes: there were not enough')
  })
  client.end('no line')
  await ended
  expect(served.destroyed).toBe(true)
})

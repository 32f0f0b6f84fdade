import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { upgradeSocket } from '../../src/client/node-upgrade.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/lib/bytes.ts'
import { startTcpServer } from '../support/socket-server.ts'

const NEVER = new AbortController().signal

test('upgradeSocket gives what followed the response; the next reader gets the rest (P-121)', async () => {
  await using server = await startTcpServer(socket => {
    socket.once('data', request => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\nfirst')
      socket.once('data', () => socket.end(`then ${request.toString()}`))
    })
  })
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  expect(decodeUtf8(await upgradeSocket(socket, encodeUtf8('request'), NEVER))).toBe('first')
  socket.write('more')
  let rest = ''
  for await (const chunk of socket) rest += chunk
  expect(rest).toBe('then request')
})

test('upgradeSocket fails on a socket that is closed already', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.destroy()
  await once(socket, 'close')
  await expect(upgradeSocket(socket, encodeUtf8('request'), NEVER)).rejects.toMatchObject({
    code: 'ERR_DERP_CONN_CLOSED',
    message: 'read upgrade response: connection closed without a response',
  })
})

test('upgradeSocket destroys the socket when it is given up', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  await expect(upgradeSocket(socket, encodeUtf8('request'), AbortSignal.abort())).rejects.toMatchObject({
    code: 'ERR_DERP_ABORTED',
  })
  expect(socket.destroyed).toBe(true)
})

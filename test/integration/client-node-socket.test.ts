import { expect, test } from 'vitest'
import { openTcp, openTls } from '../../src/client/node-socket.ts'
import { until } from '../support/settle.ts'
import { startHttpRelay, startTcpServer } from '../support/socket-server.ts'

const NEVER = new AbortController().signal

test('openTcp gives an open socket whose errors cannot end the process', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  const socket = await openTcp(new URL(`http://127.0.0.1:${server.port}/`), NEVER)
  expect(socket.readyState).toBe('open')
  expect(socket.listenerCount('error')).toBe(1)
  socket.destroy()
})

test('openTcp given up before it begins opens nothing that lasts', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  await expect(openTcp(new URL(`http://127.0.0.1:${server.port}/`), AbortSignal.abort())).rejects.toMatchObject({
    code: 'ERR_DERP_ABORTED',
    message: 'open connection: aborted by the caller',
  })
  await until(() => server.sockets.size === 0, 'no connection is left')
})

test('openTls destroys the socket below when the handshake fails or is given up', async () => {
  await using relay = await startHttpRelay('https')
  const url = new URL(relay.url)
  const untrusted = await openTcp(url, NEVER)
  await expect(openTls(untrusted, url, {}, NEVER)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const givenUp = await openTcp(url, NEVER)
  await expect(openTls(givenUp, url, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  await until(() => untrusted.destroyed && givenUp.destroyed, 'both sockets are destroyed')
  await until(() => relay.sockets.size === 0, 'no connection is left')
})

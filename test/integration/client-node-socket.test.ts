import { expect, test } from 'vitest'
import { openTcp, openTls } from '../../src/client/node/node-socket.ts'
import { until } from '../support/settle.ts'
import { startHttpRelay, startTcpServer } from '../support/socket-server.ts'

const NEVER = new AbortController().signal

test('openTcp returns a socket whose errors cannot crash the process', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  const socket = await openTcp('127.0.0.1', server.port, NEVER)
  expect(socket.readyState).toBe('open')
  expect(socket.listenerCount('error')).toBe(1)
  socket.destroy()
})

test('openTcp aborted before it starts leaves no socket', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  await expect(openTcp('127.0.0.1', server.port, AbortSignal.abort())).rejects.toMatchObject({
    code: 'ERR_DERP_ABORTED',
    message: 'open connection: aborted by the caller',
  })
  await until(() => server.sockets.size === 0, 'no connection is left')
})

test('openTls destroys the underlying socket when the handshake fails, is aborted, or cannot start', async () => {
  await using relay = await startHttpRelay('https')
  const untrusted = await openTcp('127.0.0.1', relay.port, NEVER)
  await expect(openTls(untrusted, {}, NEVER)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const givenUp = await openTcp('127.0.0.1', relay.port, NEVER)
  await expect(openTls(givenUp, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  const misconfigured = await openTcp('127.0.0.1', relay.port, NEVER)
  await expect(openTls(misconfigured, { minVersion: 'TLSv1.9' as 'TLSv1.3' }, NEVER)).rejects.toThrow('TLSv1.9')
  await until(() => untrusted.destroyed && givenUp.destroyed && misconfigured.destroyed, 'all sockets are destroyed')
  await until(() => relay.sockets.size === 0, 'no connection is left')
})

import { connect, createSecureContext, createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { IN_BUN } from '../../../test/support/own-runtime.ts'
import { type ListeningServer, listenOnLoopback } from '../../../test/support/socket-server.ts'
import { TLS_CERT, TLS_KEY } from '../../../test/support/tls-fixture.ts'
import { handshakeFailure } from './handshake-failure.ts'

let server: Server
let listening: ListeningServer
beforeAll(async () => {
  server = createServer({
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, answer) => {
      if (name === 'wrong.test') answer(new Error('no certificate for this name'))
      else answer(null, name === 'absent.test' ? undefined : createSecureContext({ cert: TLS_CERT, key: TLS_KEY }))
    },
  })
  listening = await listenOnLoopback(server)
})
afterAll(() => listening[Symbol.asyncDispose]())

/** The cause of one handshake's failure. */
async function causeOf(options: object): Promise<string> {
  const failed = new Promise<NodeJS.ErrnoException>(resolve => server.once('tlsClientError', resolve))
  const client = connect({ port: listening.port, host: '127.0.0.1', servername: 'relay.test', ...options })
  client.on('error', () => {})
  const cause = handshakeFailure(await failed)
  client.destroy()
  return cause
}

test('handshakeFailure names the cause of a client error', async () => {
  expect(await causeOf({ servername: 'absent.test' })).toBe('server_name')
  expect(await causeOf({ servername: 'wrong.test' })).toBe('server_name')
  expect(await causeOf({ ALPNProtocols: ['h2'] })).toBe('protocol')
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ...(!IN_BUN && { ciphers: 'ALL:@SECLEVEL=0' }) }
  expect(await causeOf(old)).toBe('version')
})

test.each([
  ['ERR_SSL_HTTP_REQUEST', 'plain_http'],
  ['ERR_SSL_HTTPS_PROXY_REQUEST', 'plain_http'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not_tls'],
  ['ERR_SSL_NO_CERTIFICATE_SET', 'server_name'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'cipher'],
  ['ERR_SSL_NO_SHARED_GROUP', 'cipher'],
  ['ERR_SSL_WRONG_CURVE', 'cipher'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'client_alert'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'timeout'],
  ['ECONNRESET', 'closed'],
  ['ERR_SSL_UNEXPECTED_MESSAGE', 'other'],
])('handshakeFailure classifies %s as %s', (code, cause) => {
  expect(handshakeFailure(Object.assign(new Error('it failed'), { code }))).toBe(cause)
})

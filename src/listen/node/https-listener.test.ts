import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { IN_BUN } from '../../../test/support/own-runtime.ts'
import { settle } from '../../../test/support/settle.ts'
import { TLS_CERT, TLS_KEY } from '../../../test/support/tls-fixture.ts'
import { type LogFields, silentLog } from '../../lib/log.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import { AcmeChallenges } from '../../tls/challenges.ts'
import { RelayTls } from '../../tls/relay-tls.ts'
import { bunPlainHttp } from './bun-plain-http.ts'
import { createHttpsListener } from './https-listener.ts'
import { nodePlainHttp } from './node-plain-http.ts'
import type { PlainHttp } from './plain-http.ts'

const certificate = { certificate: TLS_CERT, key: TLS_KEY }

async function setUp(plainHttp?: PlainHttp) {
  const challenges = new AcmeChallenges()
  const counters = new HttpCounters()
  const logged: LogFields[] = []
  const listener = createHttpsListener(
    {
      tls: new RelayTls({ hostname: 'relay.test', certificate, metaCertificate: TLS_CERT, challenges }),
      counters,
      log: { ...silentLog, debug: (_, fields = {}) => void logged.push(fields) },
      routes: { answer: () => ({ status: 200, body: 'hello' }) },
      acceptTimeoutMs: 10_000,
    },
    plainHttp,
  )
  const { port } = await listener.listen(0, '127.0.0.1')
  onTestFinished(() => listener.close())
  const dial = (options: ConnectionOptions) =>
    connect({ port, host: '127.0.0.1', ca: TLS_CERT, servername: 'relay.test', ...options })
  return { listener, challenges, counters, logged, port, dial }
}

/** The next accepted connection, once it is closed and all that follows from it is done. */
async function closeOfNext({ server }: { server: NodeJS.EventEmitter }): Promise<void> {
  const [socket] = (await once(server, 'connection')) as [Socket]
  await new Promise(resolve => socket.once('close', resolve))
  await settle()
}

const AS_NODE = ['after the handshake has failed, as Node can', nodePlainHttp] as const
const AS_BUN = ['before the handshake, as Bun needs', bunPlainHttp] as const

test.each(IN_BUN ? [AS_BUN] : [AS_NODE, AS_BUN])(
  'plain HTTP is told of HTTPS, and counted once: %s (P-142)',
  async (_, plainHttp) => {
    const { listener, counters, logged, port } = await setUp(plainHttp)
    const closed = closeOfNext(listener)
    const client = connectTcp(port, '127.0.0.1')
    client.write('GET / HTTP/1.1\r\n\r\n')
    expect(await text(client)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*use an https:\/\/ URL\.\n$/s)
    client.destroy()
    await closed
    expect(counters.tlsHandshakeFailures).toEqual({ plain_http: 1 })
    expect(logged).toMatchObject([{ remote: '127.0.0.1', code: 'ERR_SSL_HTTP_REQUEST' }])
  },
)

test('TLS clients are served where the first byte is looked at before (P-142)', async () => {
  const { counters, dial } = await setUp(bunPlainHttp)
  const client = dial({})
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(await text(client)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*hello$/s)
  expect([counters.tlsAccepted, counters.tlsHandshakeFailures]).toEqual([1, {}])
})

test('the handshake of an authority is no failure (P-142, P-147)', async () => {
  const { listener, challenges, counters, dial } = await setUp()
  void challenges.showTls('relay.test', certificate)
  const closed = closeOfNext(listener)
  const client = dial({ ALPNProtocols: ['acme-tls/1'] })
  await once(client.resume(), 'end')
  expect(client.alpnProtocol).toBe('acme-tls/1')
  client.destroy()
  await closed
  expect([counters.tlsAccepted, counters.tlsHandshakeFailures]).toEqual([1, {}])
})

test('a failed handshake is logged with the requested name and the address of the client (P-142)', async () => {
  const { listener, counters, logged, dial } = await setUp()
  const closed = closeOfNext(listener)
  await expect(once(dial({ servername: 'other.test' }), 'secureConnect')).rejects.toThrow()
  await closed
  expect(counters.tlsHandshakeFailures).toEqual({ server_name: 1 })
  expect(logged).toMatchObject([{ remote: '127.0.0.1', serverName: 'other.test' }])
})

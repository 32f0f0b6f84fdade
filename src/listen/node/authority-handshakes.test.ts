import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import { expect, test } from 'vitest'
import { TLS_CERT, TLS_KEY } from '../../../test/support/tls-fixture.ts'
import { Connection } from './accepted-connection.ts'
import { AuthorityHandshakes } from './authority-handshakes.ts'
import type { FailedHandshake } from './tls-handshakes.ts'

/** A listener that gives all connections to {@link AuthorityHandshakes}; the authority asks for `authority.test`. */
async function setUp(awaitsAuthority: boolean) {
  const failed: FailedHandshake[] = []
  const taken: Connection[] = []
  const proceeded: Connection[] = []
  const authorities = new AuthorityHandshakes(
    {
      awaitsAuthority,
      isAuthority: ({ serverName }) => serverName === 'authority.test',
      responseOptions: () => ({ key: TLS_KEY, cert: TLS_CERT, minVersion: 'TLSv1.3' }),
    },
    failure => failed.push(failure),
    connection => taken.push(connection),
  )
  const server = createServer((socket: Socket) => {
    authorities.take(new Connection(socket, [{ name: '', clause: '', run: one => proceed(one) }]))
  })
  const proceed = (connection: Connection) => {
    proceeded.push(connection)
    connection.raw.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const dial = (options: ConnectionOptions) => {
    const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    return client.on('error', () => {}).resume()
  }
  return { failed, taken, proceeded, dial, [Symbol.dispose]: () => void server.close() }
}

/** Unlike `once`, whatever error comes before. */
const closed = (client: Socket) => new Promise<void>(resolve => client.once('close', () => resolve()))

test('an authority gets a handshake, then the end (P-147)', async () => {
  using scene = await setUp(true)
  const client = scene.dial({ servername: 'authority.test' })
  await once(client, 'secureConnect')
  await once(client, 'end')
  expect([scene.taken.length, scene.proceeded, scene.failed]).toEqual([1, [], []])
})

test('a failed handshake of an authority is reported, without a connection (P-142, P-147)', async () => {
  using scene = await setUp(true)
  await closed(scene.dial({ servername: 'authority.test', maxVersion: 'TLSv1.2' }))
  expect(scene.failed).toMatchObject([{ error: { code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' }, connection: undefined }])
})

test('others proceed with their bytes unread, as do all while no validation is due (P-147)', async () => {
  using due = await setUp(true)
  await closed(due.dial({ servername: 'relay.test' }))
  using none = await setUp(false)
  await closed(none.dial({ servername: 'authority.test' }))
  expect([due.proceeded.length, due.taken, none.proceeded.length, none.taken]).toEqual([1, [], 1, []])
  expect(none.proceeded[0]?.raw.listenerCount('readable')).toBe(0)
})

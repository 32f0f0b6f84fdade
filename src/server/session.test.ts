import { expect, test } from 'vitest'
import { MemoryRelay } from '../../test/support/memory-relay.ts'
import { RecordedConn } from '../../test/support/recorded-conn.ts'
import { until } from '../../test/support/settle.ts'
import { MeshKey } from '../keys/mesh-key.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import { encodeFrame } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'
import type { RelayCoreOptions } from './options.ts'
import { MIN_CHARGE_BYTES, WHOLE_FRAME_BYTES } from './reading/rate-limit.ts'
import type { Session } from './session.ts'

const MESH_KEY = '7e'.repeat(32)
const PING = encodeFrame(FrameType.Ping, new Uint8Array(8))

/** A session over a connection to which the test delivers. */
async function setUp(options: Partial<RelayCoreOptions>, info: Partial<ClientInfo> = {}) {
  const relay = new MemoryRelay(options)
  const client = relay.connect()
  await client.greeting()
  const hello = await client.hello({ info })
  const conn = new RecordedConn()
  relay.core.accept(conn)
  conn.handler.onData(hello)
  await until(() => relay.core.counters.logins === 1, 'the client has logged in')
  const [session] = relay.core.sessions as Iterable<Session>
  if (session === undefined) throw new Error('find session: none')
  return { relay, conn, session }
}

test('Session charges messages without data to the limit of its client (P-103)', async () => {
  const { relay, conn } = await setUp({ rateLimit: { bytesPerSecond: 1_000, burstBytes: 0 } })
  for (let n = 0; n < Math.floor(WHOLE_FRAME_BYTES / MIN_CHARGE_BYTES); n++) conn.handler.onEmpty?.()
  expect(conn.isPaused).toBe(false)
  conn.handler.onEmpty?.()
  expect([conn.isPaused, relay.core.counters.rateLimitWaits]).toEqual([true, 1])
})

test('Session handles no frame until all workers know what its last one has caused (P-070)', async () => {
  const { relay, conn } = await setUp({ meshKey: MeshKey.parse(MESH_KEY) }, { meshKey: MESH_KEY })
  const { promise, resolve } = Promise.withResolvers<void>()
  relay.core.directory.watch = () => promise
  conn.handler.onData(Buffer.concat([encodeFrame(FrameType.WatchConns), PING]))
  expect([conn.isPaused, relay.core.counters.gotPing]).toEqual([true, 0])
  resolve()
  await promise
  expect([conn.isPaused, relay.core.counters.gotPing]).toEqual([false, 1])
})

/** Log lines and readiness of mesh links. */

import { expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import type { LogFields } from '../../src/lib/log.ts'
import { MeshLink } from '../../src/mesh/mesh-link.ts'
import { meshProblem } from '../../src/mesh/mesh-problem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryTransport, TestRelay } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'

const meshKey = MeshKey.parse('ab'.repeat(32))
/** More than the retry delay and jitter. */
const RETRY_MS = 10_000

function recordingLog() {
  const lines: (readonly [level: string, message: string, fields: LogFields])[] = []
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push([level, message, fields])
  return { lines, log: { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') } }
}

function setUp() {
  const clock = new FakeClock()
  const [relay, meshPeer] = [new TestRelay({ clock, meshKey }), new TestRelay({ clock, meshKey })]
  const wire = { target: undefined as TestRelay | undefined }
  const transport = new MemoryTransport(() => {
    if (wire.target === undefined) throw new Error('nobody listens')
    return wire.target.connect()
  })
  const { privateKey } = relay.core.options
  const client: Client = meshPeer.client({ privateKey, meshKey, watchConnectionChanges: true, transport })
  const { lines, log } = recordingLog()
  const ports = { table: relay.core, ownKey: relay.core.publicKey, clock, log, random: () => 0, maxClients: 2 }
  const link = new MeshLink('b.test', client, ports)
  const waits = async () => {
    await settle(10)
    clock.advance(RETRY_MS)
    await settle(10)
  }
  return { clock, relay, meshPeer, wire, transport, lines, link, waits }
}

test('a link logs once that it is down, despite retries, and once that it is up (P-078)', async () => {
  const { meshPeer, wire, transport, lines, link, waits } = setUp()
  const over = link.run()
  for (let n = 0; n < 3; n++) await waits()
  expect(lines).toEqual([
    ['warn', 'mesh link is down', { code: 'ERR_DERP_DIAL_FAILED', reason: expect.stringContaining('nobody listens') }],
  ])
  expect(meshProblem([link.snapshot])).toBe('no link to b.test')
  wire.target = meshPeer
  await waits()
  await until(() => link.snapshot.state === 'up', 'the link is up')
  expect(lines.splice(1)).toEqual([['info', 'mesh link is up', { connects: 1 }]])
  expect(meshProblem([link.snapshot])).toBeUndefined()
  wire.target = undefined
  transport.conns.at(-1)?.destroy()
  for (let n = 0; n < 3; n++) await waits()
  expect(lines.slice(1).map(([level, message]) => [level, message])).toEqual([['warn', 'mesh link is down']])
  link.stop()
  await over
  expect(lines).toHaveLength(2)
})

test('a link to a mesh peer with too many clients is closed with a reason, and retried after a minute (P-078)', async () => {
  const { relay, meshPeer, wire, transport, lines, link, waits } = setUp()
  wire.target = meshPeer
  const over = link.run()
  await until(() => link.snapshot.peers === 1, 'the link sees itself')
  const client = await meshPeer.readyClient()
  await until(() => link.snapshot.peers === 2, 'the client is announced')
  const [second, third] = [await meshPeer.readyClient(), await meshPeer.readyClient()]
  await until(() => link.snapshot.state === 'connecting', 'the link is closed')
  expect(lines).toEqual([
    ['info', 'mesh link is up', { connects: 1 }],
    [
      'warn',
      'mesh link is down',
      { code: 'ERR_DERP_MESH_FULL', reason: expect.stringContaining('more than 2 clients') },
    ],
  ])
  expect([link.snapshot.peers, link.snapshot.counters.overflows]).toEqual([0, 1])
  expect(relay.core.registry?.totalKeys).toBe(0)
  for (const gone of [second, third]) await gone.close()
  // The watch loop's delay, then a minute.
  for (let n = 0; n < 6; n++) await waits()
  expect(transport.conns).toHaveLength(1)
  await waits()
  await until(() => link.snapshot.peers === 2, 'the link is up again')
  link.stop()
  await Promise.all([over, client.close()])
})

test.each([
  [MeshKey.parse('cd'.repeat(32)), 'the mesh key is another one'],
  [undefined, 'this relay has no mesh key'],
])(
  'a mesh peer with the mesh key %s is never up: the link says who refuses whom, and so does the mesh peer (P-038, P-078)',
  async (otherKey, reason) => {
    const { clock, relay, wire, lines, link, waits } = setUp()
    const theirs = recordingLog()
    wire.target = new TestRelay({ clock, log: theirs.log, ...(otherKey !== undefined && { meshKey: otherKey }) })
    const over = link.run()
    for (let n = 0; n < 3; n++) await waits()
    expect(lines).toEqual([
      [
        'warn',
        'mesh link is down',
        { code: 'ERR_DERP_CONN_CLOSED', reason: expect.stringContaining('login succeeded, but as an ordinary client') },
      ],
    ])
    expect([link.snapshot.counters.connects, link.snapshot.state]).toEqual([0, 'connecting'])
    const client = relay.core.publicKey.shortString()
    expect(theirs.lines).toEqual([
      [
        'warn',
        'mesh peer refused: relays of a mesh must share one key',
        expect.objectContaining({ logins: 1, client, reason }),
      ],
    ])
    link.stop()
    await over
  },
)

test('a link to the relay itself is logged, and is not a problem (P-217)', async () => {
  const { relay, wire, lines, link } = setUp()
  wire.target = relay
  await link.run()
  expect(lines).toEqual([['info', 'mesh link leads to this relay itself: closed', {}]])
  expect(meshProblem([link.snapshot])).toBeUndefined()
})

/** The login. */

import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../../src/lib/bytes.ts'
import { encodeClientToServer, encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import type { ConformanceCase } from '../case.ts'
import { deepEqual, equal, expectClosed, expectNothingBut, expectRelays, ok } from '../check.ts'
import type { Target } from '../target.ts'

/** Sends bytes instead of ClientInfo; the relay must close the connection. */
const refused = (id: string, clauses: readonly string[], bytes: () => Uint8Array): ConformanceCase => ({
  id: `login/refused/${id}`,
  clauses,
  async run(target) {
    const client = await target.connect()
    await client.greeting()
    client.sendBytes(bytes())
    await expectClosed(client)
  },
})

/** Logs in with the given JSON; the relay must accept it. */
const takes = (id: string, json: string): ConformanceCase => ({
  id: `login/takes/${id}`,
  clauses: ['P-033'],
  async run(target) {
    await expectNothingBut(await target.login({ json }))
  },
})

/** Logs in with the given JSON; the relay must close the connection. */
const refusesJson = (id: string, json: string): ConformanceCase => ({
  id: `login/refuses-json/${id}`,
  clauses: ['P-033'],
  async run(target) {
    const client = await target.connect()
    await client.greeting()
    client.sendBytes(await client.hello({ json }))
    await expectClosed(client)
  },
})

/** Logins split into chunks. */
const splits: ConformanceCase[] = [1, 2, 5, 36, 37, 60].map(step => ({
  id: `login/split-every-${step}`,
  clauses: ['P-030', 'P-001'],
  async run(target) {
    const client = await target.connect()
    await client.greeting()
    const hello = await client.hello()
    for (let at = 0; at < hello.length; at += step) client.sendBytes(hello.subarray(at, at + step))
    await client.serverInfo()
    await expectNothingBut(client)
  },
}))

const someKey = () => NodePrivateKey.generate().publicKey().bytes

async function loginOfLength(target: Target, jsonLength: number): Promise<void> {
  const padding = ' '.repeat(jsonLength - 2)
  await expectNothingBut(await target.login({ json: `{${padding}}` }))
}

export const loginCases: readonly ConformanceCase[] = [
  {
    id: 'login/greeting-is-first-and-44-bytes-or-more',
    clauses: ['P-031'],
    async run(target) {
      const client = await target.connect()
      const frame = await client.frame()
      equal(frame.type, FrameType.ServerKey)
      equal(frame.body.length, 40)
      deepEqual(frame.body.subarray(0, 8), encodeUtf8('DERP\u{1F511}'))
    },
  },
  {
    id: 'login/same-key-for-everybody',
    clauses: ['P-031'],
    async run(target) {
      const [a, b] = [await target.connect(), await target.connect()]
      equal(String(await a.greeting()), String(await b.greeting()))
    },
  },
  {
    id: 'login/server-info',
    clauses: ['P-030', 'P-032', 'P-034'],
    async run(target) {
      const client = await target.connect()
      const info = await client.login()
      deepEqual(info, { version: 2, tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 })
      await expectNothingBut(client)
    },
  },
  {
    id: 'login/nothing-before-client-info',
    clauses: ['P-030'],
    async run(target) {
      const client = await target.connect()
      await client.greeting()
      await new Promise(resolve => setTimeout(resolve, 200))
      equal(client.waitingFrames.length, 0)
      ok(!client.isClosed, 'the relay waits for ClientInfo')
    },
  },
  {
    id: 'login/frames-right-behind-client-info',
    clauses: ['P-037'],
    async run(target) {
      const client = await target.connect()
      await client.greeting()
      const payload = new Uint8Array(8).fill(3)
      const ping = encodeClientToServer({ type: 'ping', payload })
      client.sendBytes(Uint8Array.from([...(await client.hello()), ...ping]))
      await client.serverInfo()
      deepEqual(await client.message(), { type: 'pong', payload })
    },
  },
  {
    id: 'login/client-info-of-256-kib',
    clauses: ['P-003', 'P-032'],
    // Key, nonce and tag take 72 bytes of the longest body.
    run: target => loginOfLength(target, (256 << 10) - 72),
  },
  {
    id: 'login/routed-to-when-server-info-comes',
    clauses: ['P-036'],
    async run(target) {
      const sender = await target.login()
      for (let n = 0; n < 10; n++) await expectRelays(sender, await target.login())
    },
  },
  {
    id: 'login/wrong-mesh-key-is-an-ordinary-client',
    clauses: ['P-038'],
    async run(target) {
      const client = await target.login({ info: { meshKey: '0123456789abcdef'.repeat(4) } })
      await expectNothingBut(client)
      client.send({ type: 'watchConns' })
      await expectClosed(client)
    },
  },
  {
    id: 'login/mesh_key-of-another-spelling-is-ignored',
    clauses: ['P-033', 'P-038'],
    async run(target) {
      await expectNothingBut(await target.login({ json: '{"version":2,"mesh_key":"none","CanAckPings":false}' }))
    },
  },
  {
    id: 'login/no-deadline-after-login',
    clauses: ['P-035'],
    slow: true,
    async run(target) {
      const client = await target.login()
      await new Promise(resolve => setTimeout(resolve, 11_000))
      await expectNothingBut(client)
    },
  },
  {
    id: 'login/deadline-of-ten-seconds',
    clauses: ['P-035'],
    slow: true,
    async run(target) {
      const sinceMs = performance.now()
      const client = await target.connect()
      await client.greeting()
      const hello = await client.hello()
      client.sendBytes(hello.subarray(0, 20))
      await client.closed()
      const tookMs = performance.now() - sinceMs
      ok(tookMs > 9_900, `it took ${tookMs} ms`)
    },
  },
  ...splits,
  takes('empty-object', '{}'),
  takes('null', 'null'),
  takes('any-version', '{"version":-5}'),
  takes('null-fields', '{"version":null,"meshKey":null,"CanAckPings":null,"IsProber":null}'),
  takes('keys-in-any-case', '{"VERSION":2,"canackpings":true,"ISPROBER":false}'),
  takes('unknown-keys', '{"version":2,"Future":{"a":[1,2]}}'),
  takes('white-space', ' \n{ "version" : 2 }\t'),
  takes('app-name', '{"version":2,"CanAckPings":true,"AppName":"derphttp"}'),
  takes('app-name-of-another-type', '{"version":2,"AppName":5}'),
  refusesJson('nothing', ''),
  refusesJson('number', '5'),
  refusesJson('string', '"x"'),
  refusesJson('array', '[]'),
  refusesJson('cut', '{"version":2'),
  refusesJson('trailing', '{} {}'),
  refusesJson('version-as-text', '{"version":"2"}'),
  refusesJson('version-with-fraction', '{"version":2.5}'),
  refusesJson('flag-as-number', '{"CanAckPings":1}'),
  refusesJson('prober-as-text', '{"IsProber":"true"}'),
  refusesJson('mesh-key-as-number', '{"meshKey":1}'),
  refused('http', ['P-030'], () => encodeUtf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
  refused('another-frame', ['P-030'], () => encodeFrame(FrameType.SendPacket, someKey(), new Uint8Array(32))),
  refused('unknown-frame', ['P-030'], () => encodeFrame(0x7f as FrameType, new Uint8Array(8))),
  refused('short-client-info', ['P-003'], () => encodeFrame(FrameType.ClientInfo, new Uint8Array(55))),
  refused('empty-client-info', ['P-003'], () => encodeFrame(FrameType.ClientInfo)),
  refused('too-long-client-info', ['P-003'], () => Uint8Array.of(FrameType.ClientInfo, 0, 4, 0, 1)),
  refused('huge-client-info', ['P-003'], () => Uint8Array.of(FrameType.ClientInfo, 255, 255, 255, 255)),
  refused('forged-box', ['P-022', 'P-032'], () =>
    encodeFrame(FrameType.ClientInfo, someKey(), new Uint8Array(90).fill(1)),
  ),
  refused('box-without-content', ['P-022', 'P-032'], () =>
    encodeFrame(FrameType.ClientInfo, someKey(), new Uint8Array(24)),
  ),
  refused('zero-key', ['P-020', 'P-032'], () =>
    encodeFrame(FrameType.ClientInfo, new Uint8Array(32), new Uint8Array(90)),
  ),
]

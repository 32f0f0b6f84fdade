import { connect } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { dialWebSocket } from '../conformance/websocket-dial.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { longestRecord, RECORD_OVERHEAD } from '../support/record-lengths.ts'
import { TestCa } from '../support/test-ca.ts'
import { TlsRecorder } from '../support/tls-recorder.ts'

/** Fast start: no response head comes before DERP. */
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\nDerp-Fast-Start: 1\r\n\r\n'

let ca: TestCa
let certificate: CertificatePair

beforeAll(async () => {
  ca = await TestCa.create()
  certificate = await ca.issue({ ips: ['127.0.0.1'] })
})

type Dial = (port: number) => Promise<RawClient>

const raw =
  (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Dial =>
  async port => {
    const client = new RawClient(new NodeConn(connect({ port, host: '127.0.0.1', ca: ca.certificate, maxVersion })))
    client.sendBytes(encodeUtf8(UPGRADE))
    await client.login()
    return client
  }

const webSocket: Dial = async port =>
  RawClient.login(await dialWebSocket(new URL(`https://127.0.0.1:${port}/derp`), { ca: ca.certificate }))

/** The longest record for a client that dials so. */
async function measure(dial: Dial, tlsRecordBytes?: number): Promise<number> {
  await using relay = await ListeningRelay.start({
    tls: { hostname: '127.0.0.1', certificate },
    listener: { ...(tlsRecordBytes !== undefined && { tlsRecordBytes }) },
  })
  await using recorder = await TlsRecorder.start({ port: relay.port })
  const [sender, reader] = [await dial(relay.port), await dial(recorder.port)]
  const longest = await longestRecord(recorder, sender, reader)
  sender.close()
  reader.close()
  return longest
}

test.for([
  ['TLS 1.2', raw('TLSv1.2')],
  ['TLS 1.3', raw('TLSv1.3')],
  ['WebSocket', webSocket],
] as const)(
  'packets leave in records of at most 4,096 bytes of payload, unless told otherwise: %s (P-156)',
  async ([, dial]) => {
    const usual = await measure(dial)
    expect(usual).toBeGreaterThan(4_096)
    expect(usual).toBeLessThanOrEqual(4_096 + RECORD_OVERHEAD)
    expect(await measure(dial, 1_024)).toBeLessThanOrEqual(1_024 + RECORD_OVERHEAD)
    expect(await measure(dial, 0)).toBeGreaterThan(16_384)
  },
)

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPlatform } from '../../src/diagnose/browser-platform.ts'
import { diagnoseRelay } from '../../src/diagnose/diagnose.ts'
import { nodePlatform } from '../../src/diagnose/node-platform.ts'
import { targetOfNode, targetOfUrl } from '../../src/diagnose/target.ts'
import { conclusionOf, examine, outcomeOf } from '../support/examination.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { TestCa } from '../support/test-ca.ts'

let ca: TestCa
let relay: ListeningRelay
beforeAll(async () => {
  ca = await TestCa.create()
  const certificate = await ca.issue({ dns: ['relay.test'], notAfter: new Date(Date.now() + 90 * 86_400_000) })
  relay = await ListeningRelay.start({ tls: { hostname: 'relay.test', certificate } })
})
afterAll(() => relay?.[Symbol.asyncDispose]())

describe('a good relay', () => {
  test('passes every step possible without a map', async () => {
    const report = await examine(`https://relay.test:${relay.port}/derp`, { ca: ca.certificate })
    const outcomes = report.steps.map(({ id }) => `${id}: ${outcomeOf(report, id)}`)
    expect(outcomes).toEqual([
      'dns: passed',
      'tcp4: passed',
      'tcp6: skipped',
      'tls: passed',
      'http: passed',
      'upgrade: passed',
      'websocket: passed',
      'server-key: passed',
      'login: passed',
      'packet: passed',
      'ping: passed',
      'readiness: passed',
      'stun4: warning: stun-refused',
      'stun6: skipped',
      'captive-portal: warning: port80-closed',
      'same-server: passed',
      'mesh-key: skipped',
      'mesh: skipped',
    ])
  })

  test('passes every step possible in a browser', async () => {
    await using plain = await ListeningRelay.start()
    const target = targetOfUrl(new URL(`http://127.0.0.1:${plain.port}/derp`))
    const report = await diagnoseRelay({ target, platform: browserPlatform() })
    const taken = report.steps.filter(({ verdict }) => verdict.status !== 'skipped').map(({ id }) => id)
    expect(taken).toEqual(['http', 'websocket', 'server-key', 'login', 'packet', 'ping', 'same-server'])
    expect(conclusionOf(report)).toBe('all is well')
  })

  test('of plain HTTP needs neither port 80 nor a certificate', async () => {
    await using plain = await ListeningRelay.start()
    const target = targetOfUrl(new URL(`http://127.0.0.1:${plain.port}/derp`))
    const report = await diagnoseRelay({ target, platform: nodePlatform() })
    expect(outcomeOf(report, 'captive-portal')).toBe('skipped')
    const key = report.steps.find(({ id }) => id === 'server-key')
    expect(key?.verdict).toEqual({ status: 'passed', detail: plain.relay.publicKey.shortString() })
  })

  test('differs from a dead server in a browser', async () => {
    const target = targetOfUrl(new URL('http://127.0.0.1:9/derp'))
    const report = await diagnoseRelay({ target, platform: browserPlatform() })
    expect(conclusionOf(report)).toBe('HTTP: http-closed')
  })
})

test('a STUN-only node only gets STUN requests', async () => {
  const node = { Name: '900s', RegionID: 900, HostName: 'relay.test', STUNOnly: true, DERPPort: relay.port }
  const askStun = async () => ({ address: '127.0.0.1', port: 1, rttMs: 1 })
  const report = await examine(targetOfNode(node), { platform: { askStun } })
  const taken = report.steps.filter(({ verdict }) => verdict.status !== 'skipped').map(({ id }) => id)
  expect([taken, conclusionOf(report)]).toEqual([['dns', 'stun4'], 'all is well'])
})

test('an address in the map that differs from DNS is a warning', async () => {
  const node = { Name: '900a', RegionID: 900, HostName: 'relay.test', IPv4: '127.0.0.2', DERPPort: relay.port }
  const report = await examine(targetOfNode(node), { ca: ca.certificate })
  expect(outcomeOf(report, 'dns')).toBe('warning: dns-differs')
})

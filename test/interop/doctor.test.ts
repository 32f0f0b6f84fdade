import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { diagnoseRelay, type RelayReport } from '../../src/diagnose/diagnose.ts'
import { nodePlatform } from '../../src/diagnose/node-platform.ts'
import { targetOfNode } from '../../src/diagnose/target.ts'
import { conclusionOf, outcomeOf } from '../support/examination.ts'
import { hasGo } from '../support/go-tools.ts'
import { freePort, type RunningTlsRelay, startOurTlsRelay, startReferenceTlsRelay } from '../support/relays.ts'

const RELAYS = [
  ['ours', startOurTlsRelay],
  ['stock', startReferenceTlsRelay],
] as const

/** Real time, on a machine that may be busy. */
const PATIENT = { timeoutMs: 60_000 }

function examineNode(relay: RunningTlsRelay, stunPort: number): Promise<RelayReport> {
  const node = { Name: '900a', RegionID: 900, HostName: 'localhost', DERPPort: relay.port, STUNPort: stunPort }
  // It only listens on IPv4 loopback.
  const target = targetOfNode({ ...node, IPv4: '127.0.0.1', IPv6: 'none' })
  return diagnoseRelay({ target, options: PATIENT, platform: nodePlatform({ authorities: [relay.ca] }) })
}

describe.skipIf(!hasGo).each(RELAYS)('derp doctor on the daemon, %s', (whose, start) => {
  let relay: RunningTlsRelay
  beforeAll(async () => {
    relay = await start()
  }, 180_000)
  afterAll(() => relay?.stop())

  test('passes every step for a single relay', async () => {
    const report = await examineNode(relay, relay.stunPort)
    const taken = report.steps.filter(({ verdict }) => verdict.status !== 'skipped')
    // The test certificates are valid for one day.
    expect(taken.map(({ id }) => `${id}: ${outcomeOf(report, id)}`)).toEqual([
      'dns: passed',
      'tcp4: passed',
      'tls: warning: expires-soon',
      'http: passed',
      'upgrade: passed',
      'websocket: passed',
      'server-key: passed',
      'login: passed',
      'packet: passed',
      'ping: passed',
      ...(whose === 'ours' ? ['readiness: passed'] : []),
      'stun4: passed',
      'same-server: passed',
    ])
    expect(conclusionOf(report)).toBe('all is well')
  })

  test('reports a wrong STUN port in the map', async () => {
    expect(conclusionOf(await examineNode(relay, await freePort()))).toBe('STUN: stun-refused')
  })
})

describe.skipIf(!hasGo).each(RELAYS)('derp doctor on the daemon, %s', (_whose, start) => {
  async function conclusionWith(...flags: string[]): Promise<string> {
    const relay = await start(flags)
    try {
      return conclusionOf(await examineNode(relay, relay.stunPort))
    } finally {
      await relay.stop()
    }
  }

  test('reports that DERP is disabled', async () => {
    expect(await conclusionWith('-derp=false')).toBe('HTTP: derp-disabled')
  })

  test('reports that the key is not admitted', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}/verify`
    const flags = ['-verify-client-url', nowhere, '-verify-client-url-fail-open=false']
    expect(await conclusionWith(...flags)).toBe('login: new-key-not-admitted')
  })
})

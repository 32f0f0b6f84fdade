import { connect } from 'node:net'
import { describe, test } from 'vitest'
import { diagnoseRelay, type RelayReport } from '../../src/diagnose/diagnose.ts'
import { nodePlatform } from '../../src/diagnose/node-platform.ts'
import type { DiagnoseOptions } from '../../src/diagnose/step.ts'
import { type RelayTarget, targetOfUrl } from '../../src/diagnose/target.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { Mesh } from '../../src/mesh/mesh.ts'
import { conclusionOf, outcomeOf } from '../support/examination.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { until } from '../support/settle.ts'
import { type ListeningServer, startTcpServer } from '../support/socket-server.ts'

const KEY = MeshKey.parse('ab'.repeat(32))
const OTHER_KEY = MeshKey.parse('cd'.repeat(32))

const startRelay = (meshKey = KEY): Promise<ListeningRelay> => ListeningRelay.start({ meshKey })

const urlOf = ({ port }: { port: number }) => new URL(`http://127.0.0.1:${port}/derp`)

/** Links a relay to another one. */
async function link(from: ListeningRelay, to: ListeningRelay): Promise<AsyncDisposable> {
  const mesh = new Mesh(from.relay.core, [{ host: `relay-${to.port}`, url: urlOf(to), dialHost: undefined }])
  mesh.start()
  await until(() => mesh.snapshot()[0]?.state === 'up', 'the link stands')
  return { [Symbol.asyncDispose]: () => mesh.stop() }
}

const nodeOf = (relay: ListeningRelay): RelayTarget => ({
  ...targetOfUrl(urlOf(relay)),
  stun: undefined,
  regionId: 900,
})

/** In real time, as relays of a mesh take some to tell each other of clients. */
function examinePair(
  relay: ListeningRelay,
  other: ListeningRelay,
  options: DiagnoseOptions = {},
): Promise<RelayReport> {
  const isPatient = { timeoutMs: 30_000, ...options }
  return diagnoseRelay({ target: nodeOf(relay), others: [nodeOf(other)], options: isPatient, platform: nodePlatform() })
}

/** Two fifths of it are waited for packets that are lost. */
const HASTY = { timeoutMs: 10_000 }

/** Spreads connections over relays in turn. */
function startBalancer(...relays: readonly ListeningRelay[]) {
  let count = 0
  return startTcpServer(client => {
    const { port = 0 } = relays[count++ % relays.length] ?? {}
    const passed = connect(port, '127.0.0.1')
    passed.on('error', () => client.destroy()).pipe(client)
    client.on('error', () => passed.destroy()).pipe(passed)
  })
}

function examineBalancer(balancer: ListeningServer, options: DiagnoseOptions): Promise<RelayReport> {
  const target = { ...targetOfUrl(urlOf(balancer)), stun: undefined }
  return diagnoseRelay({ target, options, platform: nodePlatform() })
}

// Side by side, as most of them wait for what does not come.
describe.concurrent('relays of one region', () => {
  test('that are linked both ways', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using _there = await link(one, two)
    await using _back = await link(two, one)
    const report = await examinePair(one, two, { meshKey: KEY })
    expect([outcomeOf(report, 'mesh-key'), outcomeOf(report, 'mesh'), conclusionOf(report)]).toEqual([
      'passed',
      'passed',
      'all is well',
    ])
  })

  test('without links', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    expect(conclusionOf(await examinePair(one, two, HASTY))).toBe('mesh: mesh-missing')
  })

  test('with a link one way only', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using _there = await link(one, two)
    expect(conclusionOf(await examinePair(one, two, HASTY))).toBe('mesh: mesh-one-way')
  })

  test('of which one has another mesh key, which is told from a lack of links', async ({ expect }) => {
    await using one = await startRelay(OTHER_KEY)
    await using two = await startRelay()
    const report = await examinePair(one, two, { ...HASTY, meshKey: KEY })
    expect(conclusionOf(report)).toBe('mesh: mesh-key-differs')
  })

  test('of which one is down: that is no fault of the other', async ({ expect }) => {
    await using one = await startRelay()
    const two = await startRelay()
    await two[Symbol.asyncDispose]()
    expect(outcomeOf(await examinePair(one, two, HASTY), 'mesh')).toBe('skipped')
  })

  test('behind a load balancer and not meshed', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using balancer = await startBalancer(one, two)
    expect(conclusionOf(await examineBalancer(balancer, HASTY))).toBe('mesh: balancer-without-mesh')
  })

  test('behind a load balancer and meshed', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using _there = await link(one, two)
    await using _back = await link(two, one)
    await using balancer = await startBalancer(one, two)
    expect(conclusionOf(await examineBalancer(balancer, { timeoutMs: 30_000 }))).toBe('all is well')
  })
})

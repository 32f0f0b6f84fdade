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
  await until(() => mesh.snapshot()[0]?.state === 'up', 'the link is up')
  return { [Symbol.asyncDispose]: () => mesh.stop() }
}

const nodeOf = (relay: ListeningRelay): RelayTarget => ({
  ...targetOfUrl(urlOf(relay)),
  stun: undefined,
  regionId: 900,
})

/** Real time: mesh peers need some to announce clients to each other. */
function examinePair(
  relay: ListeningRelay,
  other: ListeningRelay,
  options: DiagnoseOptions = {},
): Promise<RelayReport> {
  const isPatient = { timeoutMs: 30_000, ...options }
  return diagnoseRelay({ target: nodeOf(relay), others: [nodeOf(other)], options: isPatient, platform: nodePlatform() })
}

/** Lost packets take two fifths of it. */
const HASTY = { timeoutMs: 10_000 }

/** A load balancer that rotates through relays. */
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

// Concurrent, as most of them wait for timeouts.
describe.concurrent('relays of one region', () => {
  test('linked in both directions', async ({ expect }) => {
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

  test('linked in one direction only', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using _there = await link(one, two)
    expect(conclusionOf(await examinePair(one, two, HASTY))).toBe('mesh: mesh-one-way')
  })

  test('with different mesh keys, which is reported separately from missing links', async ({ expect }) => {
    await using one = await startRelay(OTHER_KEY)
    await using two = await startRelay()
    const report = await examinePair(one, two, { ...HASTY, meshKey: KEY })
    expect(conclusionOf(report)).toBe('mesh: mesh-key-differs')
  })

  test('of which one is down, which is not a failure of the other', async ({ expect }) => {
    await using one = await startRelay()
    const two = await startRelay()
    await two[Symbol.asyncDispose]()
    expect(outcomeOf(await examinePair(one, two, HASTY), 'mesh')).toBe('skipped')
  })

  test('behind a load balancer without a mesh', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using balancer = await startBalancer(one, two)
    expect(conclusionOf(await examineBalancer(balancer, HASTY))).toBe('mesh: balancer-without-mesh')
  })

  test('behind a load balancer with a mesh', async ({ expect }) => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using _there = await link(one, two)
    await using _back = await link(two, one)
    await using balancer = await startBalancer(one, two)
    expect(conclusionOf(await examineBalancer(balancer, { timeoutMs: 30_000 }))).toBe('all is well')
  })
})

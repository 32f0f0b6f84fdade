/** Relays of a region and their NATS server on a network that breaks between them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectRelays } from '../conformance/check.ts'
import { introduceEachOther } from '../conformance/region/flows.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { hasGo, natsServer } from '../support/go-tools.ts'
import { canCreateNetworks, TestNetwork } from '../support/network.ts'
import { type Balance, untilBalanced } from '../support/packet-balance.ts'
import { type Program, startProgram } from '../support/process.ts'
import type { RawClient } from '../support/raw-client.ts'
import {
  heals,
  REGION_MESH_KEY,
  type RegionRelay,
  relayAt,
  untilMetric,
  untilRelaysMet,
} from '../support/region-relay.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { served } from '../support/served.ts'

const DERPER = commandPath('derper')

// It takes a minute: `npm run test:all` runs it.
const isPossible = hasGo && RUNS_ALL && canCreateNetworks

describe.skipIf(!isPossible)('a region on a network that breaks', () => {
  const directory = mkdtempSync(join(tmpdir(), 'region-partition-'))
  const programs: Program[] = []
  const targets: Target[] = []
  const clients: RawClient[] = []
  let network: TestNetwork
  let a: RegionRelay
  let b: RegionRelay
  let c: RegionRelay

  beforeAll(async () => {
    network = await TestNetwork.create(['nats', 'a', 'b', 'c'])
    const config = join(directory, 'nats.conf')
    writeFileSync(config, `listen: "${network.addressOf('nats')}:4222"\nno_fast_producer_stall: true\n`)
    const nats = await startOn('nats', await natsServer(), ['-c', config])
    await nats.stderrMatch(/Server is ready/)
    ;[a, b, c] = (await Promise.all(['a', 'b', 'c'].map(startRelay))) as [RegionRelay, RegionRelay, RegionRelay]
    await untilRelaysMet([a, b, c])
  })
  afterEach(() => {
    for (const target of targets.splice(0)) target.closeAll()
  })
  afterAll(async () => {
    await Promise.all(programs.map(program => program.stop()))
    await network?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  async function startOn(machine: string, path: string, args: readonly string[]): Promise<Program> {
    const [command, ...before] = network.commandOn(machine)
    const env = { TAILSCALE_DERPER_MESH_KEY: REGION_MESH_KEY }
    const program = await startProgram(command, [...before, path, ...args], { env })
    programs.push(program)
    return program
  }

  async function startRelay(machine: string): Promise<RegionRelay> {
    const listen = ['-dev', '-a', `${network.addressOf(machine)}:3340`, '-stun=false', '-drain-time', '0s']
    const region = ['-region', 'test', '-nats', `nats://${network.addressOf('nats')}:4222`]
    const metrics = [
      '-metrics-addr',
      `${network.addressOf(machine)}:9340`,
      '-metrics-allow',
      network.addressOf('').replace(/\d+$/, '0/24'),
    ]
    const program = await startOn(machine, RUNTIME_PATH, [DERPER, ...listen, ...region, ...metrics])
    const { port, address } = await served(program)
    return relayAt({ url: `http://${address}/derp`, port, program, stop: () => program.stop() }, 9_340)
  }

  async function login({ url }: RegionRelay): Promise<RawClient> {
    const target = new Target({ url, carriage: 'raw', like: 'ours' })
    targets.push(target)
    const client = await target.login()
    clients.push(client)
    return client
  }

  /** What became of all packets so far. */
  function balance(): Promise<Balance> {
    return untilBalanced(clients, () => Promise.all([a, b, c].map(relay => relay.packetCounts())))
  }

  test('a relay that NATS does not reach keeps its flows, and returns (P-312, P-318)', async () => {
    const [atA, atC] = [await login(a), await login(c)]
    await introduceEachOther(atA, atC)
    await network.cut('nats', 'c')
    await untilMetric(c, 'gauge_region_joined', 0)
    await expectRelays(atA, atC)
    await expectRelays(atC, await login(c))
    await introduceEachOther(await login(a), await login(b))
    const late = await login(c)
    await network.heal('nats', 'c')
    await heals(async () => {
      await untilMetric(c, 'gauge_region_joined', 1)
      await introduceEachOther(atA, late)
      await untilRelaysMet([a, b, c])
    })
    expect((await balance()).lostOnLinks).toBe(0)
  })

  test('relays that do not reach each other drop packets counted, others go on, and links open again (P-319)', async () => {
    const [atA, atB, atC] = [await login(a), await login(b), await login(c)]
    await introduceEachOther(atA, atB)
    await introduceEachOther(atB, atC)
    await network.cut('a', 'c')
    const dropped = async () => (await a.metrics('counter_region_packets_dropped'))['link_down'] ?? 0
    const before = await dropped()
    while ((await dropped()) === before) {
      atA.packet(atC.publicKey, new Uint8Array(10))
      await atA.sync()
      await expectRelays(atA, atB)
    }
    await expectRelays(atB, atC)
    await network.heal('a', 'c')
    await heals(() => introduceEachOther(atA, atC))
    expect((await balance()).dropped).toBeGreaterThan(0)
  })

  test('a relay that is cut from all others serves its clients, others do not wait for it, and it returns (P-308, P-312, P-318)', async () => {
    const [atA, atC] = [await login(a), await login(c)]
    await introduceEachOther(atA, atC)
    for (const other of ['nats', 'a', 'b']) await network.cut(other, 'c')
    await untilMetric(c, 'gauge_region_joined', 0)
    await introduceEachOther(await login(a), await login(b))
    await expectRelays(atC, await login(c))
    for (const other of ['nats', 'a', 'b']) await network.heal(other, 'c')
    await heals(async () => {
      await untilRelaysMet([a, b, c])
      await introduceEachOther(atA, atC)
    })
    await balance()
  })
})

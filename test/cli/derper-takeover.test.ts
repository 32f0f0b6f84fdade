/** Upgrades in place: a second process takes over from the first, under load and with real clients. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Client, ResilientClient } from '../../src/entries/client.ts'
import { stunBinding } from '../../src/entries/stun.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { runtimePath } from '../../tools/runtime-path.ts'
import { commandPath } from '../support/commands.ts'
import { expectBalance, LoadedClient, sum } from '../support/loaded-client.ts'
import { canCreateNetworks, TestNetwork } from '../support/network.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { PortWatch } from '../support/port-watch.ts'
import { type Program, startProgram } from '../support/process.ts'
import { drainLineOf } from '../support/region.ts'
import { freePort } from '../support/relays.ts'
import { RUNTIME_NAME } from '../support/runtime.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { served } from '../support/served.ts'
import { TestCa } from '../support/test-ca.ts'

const DERPER = commandPath('derper')
const CLIENTS = 8
const HOST = '127.0.0.1'

type Case = readonly [carriage: 'plain' | 'TLS', workers: '1' | '2', first: 'node' | 'bun', second: 'node' | 'bun']

/** In full, all carriages and numbers of workers, on each runtime and in both directions between them. */
const CASES: readonly Case[] = RUNS_ALL
  ? (['plain', 'TLS'] as const).flatMap(carriage =>
      (['1', '2'] as const).flatMap(workers => [
        [carriage, workers, 'node', 'bun'] as const,
        [carriage, workers, 'bun', 'node'] as const,
        [carriage, workers, 'node', 'node'] as const,
        [carriage, workers, 'bun', 'bun'] as const,
      ]),
    )
  : [
      ['plain', '1', 'node', 'node'],
      ['TLS', '2', 'node', 'bun'],
    ]

let directory: string
let programs: Program[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'takeover-'))
  programs = []
})

afterEach(async () => {
  await Promise.all(programs.map(program => program.stop('SIGKILL')))
  rmSync(directory, { recursive: true })
})

async function start(runtime: 'node' | 'bun', flags: readonly string[]): Promise<Program> {
  const program = await startProgram(runtimePath(runtime), [DERPER, ...flags])
  programs.push(program)
  return program
}

const controlSocket = () => join(directory, 'control.sock')

/** Flags of all processes of a relay, which they share with their ports. */
async function flagsOf(carriage: 'plain' | 'TLS', more: readonly string[] = []) {
  const [main, http, stun, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const ca = await TestCa.create()
  const { certificate, key } = await ca.issue({ dns: ['localhost'] })
  writeFileSync(join(directory, 'localhost.crt'), certificate)
  writeFileSync(join(directory, 'localhost.key'), key)
  const secure = ['-hostname', 'localhost', '-certmode', 'manual', '-certdir', directory, '-http-port', String(http)]
  const ports = ['-a', `${HOST}:${main}`, '-stun-port', String(stun), '-metrics-addr', `${HOST}:${metrics}`]
  const upgrade = ['-c', join(directory, 'derper.key'), '-control-socket', controlSocket(), '-takeover']
  const flags = [...ports, ...upgrade, '-drain-time', '2s', ...(carriage === 'TLS' ? secure : []), ...more]
  return { flags, main, http, stun, metrics, ca: ca.certificate }
}

test.each(CASES)(
  'derper over %s with %s workers on %s is taken over by one on %s: no connection is refused, no packet uncounted (P-177)',
  async (carriage, workers, firstRuntime, secondRuntime) => {
    const { flags, main, http, stun, metrics, ca } = await flagsOf(carriage, ['-workers', workers])
    const first = await start(firstRuntime, flags)
    await served(first)
    const url = carriage === 'TLS' ? `https://localhost:${main}/derp` : `http://${HOST}:${main}/derp`
    const clients = Array.from({ length: CLIENTS }, () => {
      const key = NodePrivateKey.generate()
      const createClient = (target: string | URL) => new Client(key, String(target), { tlsConfig: { ca } })
      const client = new ResilientClient<string | URL>({
        targets: [url],
        healthyAfterMs: 0,
        sendWaitMs: 0,
        createClient,
      })
      return new LoadedClient(key.publicKey(), client)
    })
    for (const client of clients) await client.connect()
    for (const [at, client] of clients.entries()) {
      client.sendTo((clients[(at + 1) % CLIENTS] as LoadedClient).publicKey)
    }
    await expect.poll(() => clients.every(({ received }) => received >= 20)).toBe(true)
    const watches = [
      PortWatch.start(() => PortWatch.http(main, '/derp/probe', { ca: carriage === 'TLS' ? ca : undefined })),
      PortWatch.start(() => PortWatch.http(metrics, '/healthz')),
      PortWatch.start(async () => {
        await stunBinding({ host: HOST, port: stun, timeoutMs: PATIENCE_MS })
        return 'answered'
      }),
      ...(carriage === 'TLS' ? [PortWatch.start(() => PortWatch.http(http, '/generate_204'))] : []),
    ]
    for (const watch of watches) await watch.answers(5)

    const second = await start(secondRuntime, flags)
    await second.stderrMatch(/"msg":"took over: the first derper drains"/)
    const words = await drainLineOf(first)
    expect(await first.exit()).toBe(0)
    expect(words).toMatchObject({ told: CLIENTS, moved: CLIENTS, cut: 0 })
    expectBalance(words)
    for (const watch of watches) await watch.answers(20)
    for (const watch of watches) expect(await watch.stop()).toMatchObject({ refused: 0, lost: 0 })

    // Each has come back by itself, as announced.
    await expect.poll(() => clients.every(({ connectedAtMs }) => connectedAtMs.length === 2)).toBe(true)
    for (const { promises, connectedAtMs } of clients) {
      expect(promises).toHaveLength(1)
      expect(connectedAtMs[1]).toBeLessThan((promises[0] ?? 0) + PATIENCE_MS)
    }
    const before = clients.map(({ received }) => received)
    await expect.poll(() => clients.every(({ received }, at) => received > (before[at] ?? 0) + 20)).toBe(true)
    await Promise.all(clients.map(client => client.stopSending()))
    const received = () => sum(clients.map(client => client.received))
    second.child.kill('SIGTERM')
    const lastWords = await drainLineOf(second)
    expect(await second.exit()).toBe(0)
    expectBalance(lastWords)
    await expect.poll(received).toBe(words.packetsSent + lastWords.packetsSent)
    await Promise.all(clients.map(client => client.close()))
    expect(existsSync(controlSocket())).toBe(false)
  },
)

test('derper without -takeover says that it could take over from the one that has its ports (P-177)', async () => {
  const { flags } = await flagsOf('plain')
  await served(await start('node', flags))
  const second = await start(
    'node',
    flags.filter(flag => flag !== '-takeover'),
  )
  expect(await second.exit()).toBe(2)
  expect(second.stderr).toMatch(
    /^derper: listen on -a .*: address already in use; .*, or take over from the derper behind -control-socket: -takeover\n$/,
  )
})

test.skipIf(!canCreateNetworks || !RUNS_ALL)(
  'with net.ipv4.tcp_migrate_req no connection is reset either, at many connections per second (P-177)',
  async () => {
    await using network = await TestNetwork.create(['relay'])
    const [command, ...on] = network.commandOn('relay')
    const host = network.addressOf('relay')
    execFileSync(command, [...on, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/tcp_migrate_req'])
    const flags = ['-dev', '-a', `${host}:3340`, '-stun=false', '-control-socket', controlSocket(), '-takeover']
    const startThere = async (runtime: 'node' | 'bun') => {
      const program = await startProgram(command, [...on, runtimePath(runtime), DERPER, ...flags])
      programs.push(program)
      return program
    }
    let first = await startThere('node')
    await served(first)
    const watches = Array.from({ length: 8 }, () =>
      PortWatch.start(() => PortWatch.http(3340, '/derp/probe', { host })),
    )
    for (const runtime of ['bun', 'node', 'node', 'bun', 'bun'] as const) {
      const second = await startThere(runtime)
      await second.stderrMatch(/"msg":"took over: the first derper drains"/)
      expect(await first.exit()).toBe(0)
      first = second
    }
    for (const watch of watches) await watch.answers(5)
    for (const watch of watches) expect(await watch.stop()).toEqual({ refused: 0, reset: 0, lost: 0 })
    await first.stop()
  },
)

test('a derper that cannot take over leaves the first as it was; with none it simply starts (P-177)', async () => {
  const { flags, main, metrics } = await flagsOf('TLS')
  // -takeover with nobody to take over from.
  const first = await start(RUNTIME_NAME, flags)
  await served(first)
  const watch = PortWatch.start(() => PortWatch.http(metrics, '/healthz'))

  // Somebody else has a port of the second's.
  const other = createServer()
  const taken = await new Promise<number>(resolve => {
    other.listen(0, HOST, () => resolve((other.address() as { port: number }).port))
  })
  const second = await start(RUNTIME_NAME, [...flags, '-metrics-addr', `${HOST}:${taken}`])
  expect(await second.exit()).toBe(2)
  expect(second.stderr).toContain(`listen on -metrics-addr ${HOST}:${taken}: address already in use`)
  other.close()

  // It binds all, but is not ready: nobody answers at its admission URL.
  const asking = [
    '-verify-client-url',
    `http://${HOST}:${taken}/`,
    '-verify-client-url-fail-open=false',
    '-takeover-timeout',
    '300ms',
  ]
  const third = await start(RUNTIME_NAME, [...flags, ...asking])
  expect(await third.exit()).toBe(2)
  expect(third.stderr).toContain('take over: not ready: admission-url: ')

  // It only learns that it is not ready when it listens already.
  const expired = mkdtempSync(join(directory, 'expired-'))
  const ca = await TestCa.create()
  const notAfter = new Date(Date.now() - 3_600_000)
  const { certificate, key } = await ca.issue({ dns: ['localhost'], notAfter })
  writeFileSync(join(expired, 'localhost.crt'), certificate)
  writeFileSync(join(expired, 'localhost.key'), key)
  const late = await start(RUNTIME_NAME, [...flags, '-certdir', expired, '-takeover-timeout', '300ms'])
  expect(await late.exit()).toBe(2)
  expect(late.stderr).toContain('take over: not ready: certificate: ')
  expect(late.stderr).toContain('"msg":"drain ended"')

  // Without -takeover it does not share the ports of the first.
  const fourth = await start(RUNTIME_NAME, [...flags, '-takeover=false'])
  expect(await fourth.exit()).toBe(2)
  expect(fourth.stderr).toContain(`listen on -a ${HOST}:${main}: address already in use`)

  // Nor does rubbish on its control socket.
  for (const bytes of ['drain\n', '{"protocol":1,"ask":"stop"}\n', new Uint8Array(1 << 20).fill(0x7b)]) {
    const peer = connect(controlSocket()).on('error', () => {})
    peer.end(bytes)
    await new Promise(resolve => peer.resume().once('close', resolve))
  }

  await watch.answers(5)
  expect(await watch.stop()).toMatchObject({ refused: 0, lost: 0 })
  expect(first.stderr).not.toContain('drain begins')
  expect(existsSync(controlSocket())).toBe(true)
  await first.stop()
})

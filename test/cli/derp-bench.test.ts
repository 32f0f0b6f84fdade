import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BenchReport } from '../../src/cli/derp/bench/bench-report.ts'
import { commandPath } from '../support/commands.ts'
import { hasGo } from '../support/go-tools.ts'
import { startProgram } from '../support/process.ts'
import { type RunningTlsRelay, startOurRelay, startOurTlsRelay, startReferenceTlsRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const DERP = commandPath('derp')

describe.each([
  ['ours', startOurTlsRelay],
  ['stock', startReferenceTlsRelay],
] as const)('derp bench over TLS, %s', (whose, start) => {
  const isMissing = whose === 'stock' && !hasGo
  const directory = mkdtempSync(join(tmpdir(), 'derp-bench-'))
  const ca = join(directory, 'ca.pem')
  let relay: RunningTlsRelay
  beforeAll(async () => {
    if (isMissing) return
    relay = await start()
    writeFileSync(ca, relay.ca)
  }, 180_000)
  afterAll(async () => {
    await relay?.stop()
    rmSync(directory, { recursive: true })
  })

  test.skipIf(isMissing)('loads it from two processes', async () => {
    const load = ['--rate', '200', '--pairs', '3', '--processes', '2', '--duration', '500ms', '--warmup', '100ms']
    const program = await startProgram(RUNTIME_PATH, [DERP, 'bench', '--json', '--ca', ca, ...load, relay.url])
    expect(await program.exit(), program.stderr).toBe(0)
    const report = JSON.parse(program.stdout) as BenchReport
    expect(report).toMatchObject({ processes: 2, pairs: { wanted: 3, connected: 3 }, lost: 0, failures: 0 })
    // At the bounds of the measurement, a packet of a pair may be in or out.
    expect(Math.abs(report.sent + report.unsent - 100)).toBeLessThanOrEqual(3)
    expect(report.latencyMs.p50).toBeGreaterThan(0)
  })
})

test('derp bench stops all processes and reports when it is interrupted', async () => {
  const relay = await startOurRelay()
  const connections = async () => {
    const response = await fetch(`http://127.0.0.1:${relay.port}/debug/vars`)
    const { derp } = (await response.json()) as { derp: { gauge_current_connections: number } }
    return derp.gauge_current_connections
  }
  const load = ['--rate', '100', '--pairs', '2', '--processes', '2', '--duration', '1h', '--warmup', '1ms']
  const program = await startProgram(RUNTIME_PATH, [DERP, 'bench', '--csv', ...load, relay.url])
  await expect.poll(connections).toBe(4)
  program.child.kill('SIGINT')
  expect([await program.exit(), program.stderr]).toEqual([0, ''])
  expect(program.stdout).toMatch(/^seconds,sent,[\s\S]*\ntotal,/)
  await expect.poll(connections).toBe(0)
  await relay.stop()
})

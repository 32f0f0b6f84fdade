import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BenchRelay, Identity, startRelay } from '../../bench/contender.ts'
import { ourRelay } from '../../bench/contenders.ts'
import { LoadProgram, runLoad } from '../../bench/load-program.ts'
import { GO_LOAD_MODULE, loadGenerator } from '../../bench/tools.ts'
import { hasGo } from '../support/go-tools.ts'
import { RUNS_ALL } from '../support/selection.ts'

const run = promisify(execFile)
const OUR_LOAD = [process.execPath, join(import.meta.dirname, '../../bench/load/flow.ts')] as const
const SHORT = { warmup: '10ms', duration: '1s' }

describe.skipIf(!hasGo)('the load of the benchmark, on our relay over TLS', () => {
  let identity: Identity
  let relay: BenchRelay
  let load: readonly [string]

  beforeAll(async () => {
    load = [await loadGenerator()]
    identity = await Identity.create()
    relay = await startRelay(ourRelay([]), 'tls', identity)
  })

  afterAll(async () => {
    await relay.stop()
    identity[Symbol.dispose]()
  })

  test.runIf(RUNS_ALL)('the Go module passes vet', async () => {
    await expect(run('go', ['vet', './...'], { cwd: GO_LOAD_MODULE })).resolves.toMatchObject({ stdout: '' })
  })

  test.each([
    ['stock clients', () => load],
    ['our client', () => OUR_LOAD],
  ] as const)('packets of %s are counted', async (_, command) => {
    const result = await runLoad(command(), 'flow', relay, { ...SHORT, pairs: 2, size: 64 })
    expect(result.packets).toBeGreaterThan(0)
    expect(result.lost).toBe(0)
    expect(result.cpuSeconds).toBeGreaterThan(0)
  })

  test('round trips, logins and the age of packets are measured', async () => {
    const { roundTripMicros } = await runLoad(load, 'pingpong', relay, { ...SHORT, size: 100 })
    expect(roundTripMicros.count).toBeGreaterThan(0)
    expect(roundTripMicros.p99).toBeGreaterThanOrEqual(roundTripMicros.p50)
    const { logins, failed } = await runLoad(load, 'login', relay, { ...SHORT, workers: 2 })
    expect(logins).toBeGreaterThan(0)
    expect(failed).toBe(0)
    const { ageMicros } = await runLoad(load, 'stall', relay, { ...SHORT, clients: 5, rate: 1000 })
    expect(ageMicros.count).toBeGreaterThan(0)
  })

  test('idle clients stay until told to leave', async () => {
    const idle = await LoadProgram.start(load, 'idle', relay, { clients: 10 })
    await idle.ready()
    expect(await idle.finish()).toEqual({ clients: 10, lost: 0 })
  })
})

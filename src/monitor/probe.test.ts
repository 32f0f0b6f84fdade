import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { silentLog } from '../lib/log.ts'
import { Slots } from '../lib/slots.ts'
import { Probe } from './probe.ts'
import type { ProbeClass, ProbeContext } from './probe-class.ts'
import { recentMedianMs, recentSuccessRatio } from './probe-info.ts'

const SECOND = 1_000

/** A probe whose runs end when the test says so. */
class Script {
  readonly clock = new FakeClock()
  readonly contexts: ProbeContext[] = []
  readonly probe: Probe
  #end: ((error?: Error, notes?: readonly string[]) => void) | undefined

  constructor(intervalMs = 10 * SECOND, more: Partial<ProbeClass> = {}) {
    const probe = (context: ProbeContext) => {
      this.contexts.push(context)
      return new Promise<readonly string[]>((resolve, reject) => {
        this.#end = (error, notes = []) => (error === undefined ? resolve(notes) : reject(error))
      })
    }
    const probeClass: ProbeClass = { class: 'test', probe, ...more }
    const ports = { clock: this.clock, log: silentLog }
    this.probe = new Probe({ name: 'a', intervalMs, labels: { region: 'x' }, probeClass }, ports)
  }

  get runs(): number {
    return this.contexts.length
  }

  async end(error?: Error, notes?: readonly string[]): Promise<void> {
    this.#end?.(error, notes)
    await settle()
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    await settle()
  }
}

test('Probe runs after its delay and then once in each interval, however long a run takes', async () => {
  const script = new Script()
  void script.probe.start({ initialDelayMs: 3 * SECOND, isOnce: false })
  await script.advance(2 * SECOND)
  expect([script.runs, script.probe.info.status]).toEqual([0, 'unknown'])
  await script.advance(SECOND)
  expect([script.runs, script.probe.info.status, script.probe.inFlight]).toEqual([1, 'running', 1])
  await script.advance(4 * SECOND)
  await script.end()
  expect(script.probe.info).toMatchObject({ status: 'succeeded', latencyMs: 4 * SECOND, error: undefined })
  await script.advance(5 * SECOND)
  expect(script.runs).toBe(1)
  await script.advance(SECOND)
  expect(script.runs).toBe(2)
  await script.end()
  await script.probe.stop()
})

test('Probe ends a run after four fifths of its interval and names what it waited for', async () => {
  const script = new Script()
  void script.probe.start({ initialDelayMs: 0, isOnce: false })
  await settle()
  script.contexts[0]?.step('connect to 1a')
  await script.advance(8 * SECOND - 1)
  expect(script.contexts[0]?.signal.aborted).toBe(false)
  await script.advance(1)
  expect(script.contexts[0]?.signal.aborted).toBe(true)
  expect(script.probe.info).toMatchObject({
    status: 'failed',
    error: 'connect to 1a: no result within 8s',
    latencyMs: undefined,
    recentResults: [false],
    recentLatenciesMs: [],
  })
  expect(script.probe.counters).toEqual({ attempts: { ok: 0, fail: 1 }, seconds: { ok: 0, fail: 8 } })
  await script.probe.stop()
})

test('Probe that runs once ends after that run', async () => {
  const script = new Script()
  const finished = script.probe.start({ initialDelayMs: 0, isOnce: true })
  await settle()
  expect(script.contexts[0]?.isOnce).toBe(true)
  await script.end(undefined, ['a remark'])
  await finished
  await script.advance(100 * SECOND)
  expect(script.runs).toBe(1)
  expect(script.probe.info.notes).toEqual(['a remark'])
})

test('Probe.run waits for the current run, and all who ask meanwhile share the next', async () => {
  const script = new Script()
  const first = script.probe.run()
  await settle()
  const [second, third] = [script.probe.run(), script.probe.run()]
  await script.advance(1)
  expect(script.runs).toBe(1)
  await script.end()
  expect(script.runs).toBe(2)
  await script.end(new Error('refused'))
  expect((await first).status).toBe('succeeded')
  expect((await second).error).toBe('refused')
  expect(await third).toEqual(await second)
})

test('Probe remembers ten runs', async () => {
  const script = new Script()
  for (let run = 1; run <= 12; run++) {
    const running = script.probe.run()
    await settle()
    await script.advance(run)
    await script.end(run === 3 || run === 12 ? new Error('down') : undefined)
    await running
  }
  const { info } = script.probe
  expect(info.recentResults).toEqual([false, ...Array.from({ length: 8 }, () => true), false])
  expect(info.recentLatenciesMs).toEqual([1, 2, 4, 5, 6, 7, 8, 9, 10, 11])
  expect([recentSuccessRatio(info), recentMedianMs(info)]).toEqual([0.8, 7])
})

test('Probe that is stopped aborts its run and keeps no result of it', async () => {
  const script = new Script()
  void script.probe.start({ initialDelayMs: 0, isOnce: false })
  await settle()
  await script.probe.stop()
  expect(script.contexts[0]?.signal.aborted).toBe(true)
  expect(script.probe.info).toMatchObject({ endedAtMs: undefined, error: undefined, recentResults: [] })
})

test('continuous Probe has no time limit, and begins anew some time after a failure', async () => {
  const script = new Script(-10 * SECOND)
  void script.probe.start({ initialDelayMs: 0, isOnce: false })
  await script.advance(1_000 * SECOND)
  expect([script.runs, script.contexts[0]?.signal.aborted]).toEqual([1, false])
  await script.end(new Error('connection lost'))
  expect(script.probe.info).toMatchObject({ status: 'failed', error: 'connection lost' })
  await script.advance(10 * SECOND)
  expect(script.runs).toBe(2)
  await script.probe.stop()
})

test('time in which a Probe waits for its slot is not measured', async () => {
  const slots = new Slots(1)
  const leave = await slots.enter('other')
  const script = new Script(10 * SECOND, { slots })
  const running = script.probe.run()
  await script.advance(60 * SECOND)
  expect(script.runs).toBe(0)
  leave()
  await settle()
  await script.advance(5)
  await script.end()
  expect((await running).latencyMs).toBe(5)
})

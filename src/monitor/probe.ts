/** One probe: runs its function on a schedule or on demand, one run at a time, and remembers what came of it. */

import { abortable } from '../lib/abort.ts'
import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { formatDuration } from '../lib/duration.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import type { Labels, ProbeClass, ProbeContext, ProbeMetric } from './probe-class.ts'
import { isContinuous, type ProbeInfo, RECENT_RUNS } from './probe-info.ts'

/** Share of its interval that a run may take, so that it ends before the next one is due. */
const TIMEOUT_SHARE = 0.8

export interface ProbePlan {
  readonly name: string
  /** Milliseconds between the starts of two runs; negative for a continuous probe, see {@link ProbeInfo.intervalMs}. */
  readonly intervalMs: number
  /** In addition to those of the class. */
  readonly labels: Labels
  readonly probeClass: ProbeClass
}

export interface ProbePorts {
  readonly clock: Clock
  readonly log: Log
}

/** Runs and time so far, by outcome. */
export interface RunCounters {
  readonly attempts: { ok: number; fail: number }
  readonly seconds: { ok: number; fail: number }
}

/** When a probe runs. */
export interface ProbeSchedule {
  /** Milliseconds before the first run. */
  readonly initialDelayMs: number
  readonly isOnce: boolean
}

export class Probe {
  readonly plan: ProbePlan
  readonly labels: Labels
  readonly counters: RunCounters = { attempts: { ok: 0, fail: 0 }, seconds: { ok: 0, fail: 0 } }
  readonly #ports: ProbePorts
  readonly #stop = new AbortController()
  readonly #results: boolean[] = []
  readonly #latenciesMs: number[] = []
  #inFlight = 0
  #startedAtMs: number | undefined
  #endedAtMs: number | undefined
  #latencyMs: number | undefined
  #error: string | undefined
  #notes: readonly string[] = []
  /** The run that is under way, and the one that waits for it. */
  #current: Promise<unknown> | undefined
  #next: Promise<ProbeInfo> | undefined
  #finished: Promise<void> | undefined
  #isOnce = false

  constructor(plan: ProbePlan, ports: ProbePorts) {
    this.plan = plan
    this.labels = { ...plan.probeClass.labels, ...plan.labels }
    this.#ports = ports
  }

  get isContinuous(): boolean {
    return isContinuous(this.plan)
  }

  /** Runs under way: 0 or 1. */
  get inFlight(): number {
    return this.#inFlight
  }

  get metrics(): readonly ProbeMetric[] {
    return this.plan.probeClass.metrics?.() ?? []
  }

  get info(): ProbeInfo {
    const { name, intervalMs, probeClass } = this.plan
    return {
      name,
      class: probeClass.class,
      intervalMs,
      labels: this.labels,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#endedAtMs,
      latencyMs: this.#latencyMs,
      status: this.#status(),
      error: this.#error,
      notes: this.#notes,
      recentResults: [...this.#results],
      recentLatenciesMs: [...this.#latenciesMs],
    }
  }

  /** Begins to run; resolves when the probe is stopped, or has run once. */
  start({ initialDelayMs, isOnce }: ProbeSchedule): Promise<void> {
    this.#isOnce = isOnce
    this.#finished ??= this.#loop(initialDelayMs)
    return this.#finished
  }

  /** Ends the schedule and the run that is under way; resolves when both are over. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all([this.#finished, this.#current, this.#next])
  }

  /** Runs once more: now, or when the current run is over. All who ask meanwhile share that run. Never rejects. */
  run(): Promise<ProbeInfo> {
    if (this.#next !== undefined) return this.#next
    const next = (async () => {
      await this.#current
      this.#next = undefined
      const running = this.#runInSlot()
      this.#current = running
      return running
    })()
    this.#next = next
    return next
  }

  async #loop(initialDelayMs: number): Promise<void> {
    const { clock } = this.#ports
    const stopped = this.#stop.signal
    if (initialDelayMs > 0) await sleep(clock, initialDelayMs, stopped)
    if (stopped.aborted) return
    if (this.#isOnce) {
      await this.run()
      return
    }
    const { intervalMs } = this.plan
    let dueMs = clock.now()
    while (!stopped.aborted) {
      await this.run()
      if (this.isContinuous) {
        await sleep(clock, -intervalMs, stopped)
        continue
      }
      do dueMs += intervalMs
      while (dueMs <= clock.now())
      await sleep(clock, dueMs - clock.now(), stopped)
    }
  }

  async #runInSlot(): Promise<ProbeInfo> {
    const { slots } = this.plan.probeClass
    // Stopped while it waits, it has nothing to report.
    const leave = await slots?.enter(`probe ${this.plan.name}`, this.#stop.signal).catch(() => undefined)
    try {
      if (!this.#stop.signal.aborted) await this.#runOnce()
    } finally {
      leave?.()
    }
    return this.info
  }

  async #runOnce(): Promise<void> {
    const { clock } = this.#ports
    const startMs = clock.now()
    this.#startedAtMs = clock.wallNow()
    this.#inFlight++
    let error: Error | undefined
    let notes: readonly string[] = []
    try {
      notes = await this.#limited()
    } catch (failure) {
      error = failure instanceof Error ? failure : new Error(String(failure))
    }
    this.#inFlight--
    // Removed while it ran: what it ended with says nothing of the relay.
    if (this.#stop.signal.aborted) return
    this.#record(clock.now() - startMs, error, notes)
  }

  /** Runs the function within its time; a continuous one has none. */
  #limited(): Promise<readonly string[]> {
    const { name, intervalMs, probeClass } = this.plan
    let waitsFor: string | undefined
    const step = (text: string) => {
      waitsFor = text
    }
    const run = (signal: AbortSignal) => probeClass.probe({ signal, isOnce: this.#isOnce, step } satisfies ProbeContext)
    const action = `probe ${name}`
    if (this.isContinuous) return abortable(run(this.#stop.signal), this.#stop.signal, action)
    const timeoutMs = intervalMs * TIMEOUT_SHARE
    const tooLate = () => {
      const what = waitsFor === undefined ? '' : `${waitsFor}: `
      return new DerpError('ERR_DERP_PROBE_FAILED', `${what}no result within ${formatDuration(timeoutMs)}`)
    }
    const limit = { clock: this.#ports.clock, timeoutMs, action, tooLate, signals: [this.#stop.signal] }
    return withTimeLimit(limit, run)
  }

  #record(latencyMs: number, error: Error | undefined, notes: readonly string[]): void {
    const outcome = error === undefined ? 'ok' : 'fail'
    this.counters.attempts[outcome]++
    this.counters.seconds[outcome] += latencyMs / 1_000
    this.#endedAtMs = this.#ports.clock.wallNow()
    this.#error = error?.message
    this.#notes = notes
    this.#latencyMs = error === undefined ? latencyMs : undefined
    remember(this.#results, error === undefined)
    if (error === undefined) remember(this.#latenciesMs, latencyMs)
    else this.#ports.log.warn('probe failed', { probe: this.plan.name, reason: error.message })
  }

  #status(): ProbeInfo['status'] {
    if (this.#inFlight > 0) return 'running'
    if (this.#endedAtMs === undefined) return 'unknown'
    return this.#error === undefined ? 'succeeded' : 'failed'
  }
}

function remember<T>(recent: T[], value: T): void {
  recent.push(value)
  if (recent.length > RECENT_RUNS) recent.shift()
}

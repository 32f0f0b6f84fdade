/** Runs the steps in order, then concludes what is wrong. */

import { type Cause, causeOf, type Layer } from './cause.ts'
import type { Platform } from './platform.ts'
import {
  type DiagnoseOptions,
  type Examination,
  type Findings,
  type Step,
  type StepId,
  StepTimeoutError,
  withinLimit,
} from './step.ts'
import { STEPS } from './steps.ts'
import type { RelayTarget } from './target.ts'
import { blocked, failed, messageOf, skipped, type Verdict, warning } from './verdict.ts'

const DEFAULT_TIMEOUT_MS = 5_000

/** The result of a step, run or skipped. */
export interface StepReport {
  readonly id: StepId
  readonly title: string
  readonly layer: Layer
  readonly verdict: Verdict
  readonly ms: number
}

export interface Conclusion {
  readonly cause: Cause
  readonly layer: Layer
  readonly detail: string
}

export interface RelayReport {
  readonly target: RelayTarget
  readonly steps: readonly StepReport[]
  /** The first failure, or a better explanation of it; undefined if nothing failed. */
  readonly conclusion: Conclusion | undefined
}

export interface DiagnoseRequest {
  readonly target: RelayTarget
  readonly platform: Platform
  readonly options?: DiagnoseOptions | undefined
  /** The other relays of its region. */
  readonly others?: readonly RelayTarget[] | undefined
  /** Called after each step. */
  readonly onStep?: ((report: StepReport) => void) | undefined
  /** Default: all. */
  readonly steps?: readonly Step[] | undefined
}

/** Diagnoses one relay. Rejects only when the caller's signal is aborted. */
export async function diagnoseRelay(request: DiagnoseRequest): Promise<RelayReport> {
  const { target, platform, options = {}, others = [], onStep, steps = STEPS } = request
  const verdicts = new Map<StepId, Verdict>()
  const findings: Findings = { addresses: { 4: [], 6: [] } }
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const examination: Examination = { target, platform, options: { ...options, timeoutMs }, others, findings, verdicts }
  const reports: StepReport[] = []
  try {
    for (const step of steps) {
      const startMs = platform.clock.now()
      const verdict = await take(step, examination)
      const { id, title, layer } = step
      const report = { id, title, layer, verdict, ms: platform.clock.now() - startMs }
      verdicts.set(id, verdict)
      reports.push(report)
      onStep?.(report)
    }
  } finally {
    findings.client?.close()
    findings.conn?.destroy()
  }
  return { target, steps: reports, conclusion: conclude(reports) }
}

async function take(step: Step, examination: Examination): Promise<Verdict> {
  const { platform, target, verdicts, options } = examination
  const { signal = new AbortController().signal } = options
  if (target.isStunOnly && step.id !== 'dns' && step.layer !== 'STUN') {
    return skipped('the map says that this node only serves STUN')
  }
  if (step.needs !== undefined && !step.needs(platform)) return skipped(`not possible in ${platform.name}`)
  const missing = step.after.find(id => isMissing(verdicts.get(id)))
  if (missing !== undefined) return blocked(reasonToSkip(missing, verdicts.get(missing)))
  try {
    if (step.hasOwnLimits) return await step.run(examination, signal)
    return await withinLimit(examination, stop => step.run(examination, stop), signal)
  } catch (error) {
    if (signal.aborted) throw error
    return troubleIn(step, examination, error)
  }
}

/** Names the first failure, of which the skipped steps are a consequence. */
function reasonToSkip(id: StepId, verdict: Verdict | undefined): string {
  if (verdict?.status === 'skipped') return verdict.reason
  return `after ${STEPS.find(step => step.id === id)?.title} failed`
}

/** A step that the platform does not support does not block later steps. */
function isMissing(verdict: Verdict | undefined): boolean {
  return verdict?.status === 'failed' || (verdict?.status === 'skipped' && verdict.isBlocked)
}

/** Steps handle the errors they know; any other means that the connection was lost. */
function troubleIn(step: Step, examination: Examination, error: unknown): Verdict {
  const id = error instanceof StepTimeoutError ? step.silence : 'connection-lost'
  const detail = messageOf(error)
  return step.isOptional?.(examination) ? warning(id, detail) : failed(id, detail)
}

/** Some failures can only be explained by the results of other steps. */
function conclude(reports: readonly StepReport[]): Conclusion | undefined {
  const first = reports.find(({ verdict }) => verdict.status === 'failed')
  if (first?.verdict.status !== 'failed') return undefined
  const { verdict } = first
  const { cause, detail } = verdict
  const layer = verdict.layer ?? first.layer
  const of = (id: StepId) => reports.find(report => report.id === id)?.verdict
  const portal = of('captive-portal')
  if (portal !== undefined && 'cause' in portal && portal.cause.id === 'captive-portal' && isBelowDerp(layer)) {
    return { cause: portal.cause, layer, detail: portal.detail }
  }
  if (cause.id === 'filtered' && [of('stun4'), of('stun6')].some(each => each?.status === 'passed')) {
    return { cause: causeOf('tcp-blocked'), layer, detail }
  }
  const isRefusedUpgrade = first.id === 'upgrade' && of('websocket')?.status === 'passed'
  if (isRefusedUpgrade) return { cause: causeOf('websocket-only'), layer, detail }
  return { cause, layer, detail }
}

function isBelowDerp(layer: Layer): boolean {
  return layer === 'DNS' || layer === 'TCP' || layer === 'TLS' || layer === 'HTTP'
}

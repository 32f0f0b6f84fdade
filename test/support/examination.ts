/** Runs `derp doctor` against loopback servers with a fake clock. */

import { diagnoseRelay, type RelayReport, type StepReport } from '../../src/diagnose/diagnose.ts'
import { nodePlatform } from '../../src/diagnose/node-platform.ts'
import type { Platform } from '../../src/diagnose/platform.ts'
import type { DiagnoseOptions, StepId } from '../../src/diagnose/step.ts'
import { type RelayTarget, type TargetPorts, targetOfUrl } from '../../src/diagnose/target.ts'
import { FakeClock } from './fake-clock.ts'

/** Time limit of a step in milliseconds, on the fake clock. */
export const STEP_MS = 5_000

export interface ExamineOptions extends DiagnoseOptions {
  readonly clock?: FakeClock
  /** PEM of the only trusted CA. */
  readonly ca?: string
  /** Lower-case hex. */
  readonly pin?: string
  readonly ports?: TargetPorts
  /** Overrides of the platform. */
  readonly platform?: Partial<Platform>
  readonly others?: readonly RelayTarget[]
  readonly onStep?: (report: StepReport) => void
}

/** A fake clock set to the current time, so that new certificates are valid. */
export function clockOfNow(): FakeClock {
  return new FakeClock({ wallMs: Date.now() })
}

/** A system error with this code. */
export function systemError(code: string, message = code): Error {
  return Object.assign(new Error(message), { code })
}

/** Diagnoses a relay; hostnames resolve to 127.0.0.1. */
export function examine(server: string | RelayTarget, options: ExamineOptions = {}): Promise<RelayReport> {
  const { clock = clockOfNow(), ca, pin, ports, platform, others, onStep, ...rest } = options
  const target =
    typeof server === 'string' ? targetOfUrl(new URL(server), pin, { stun: 9, plainHttp: 9, ...ports }) : server
  return diagnoseRelay({
    target,
    others,
    onStep,
    options: rest,
    platform: {
      ...nodePlatform({ clock, ...(ca !== undefined && { authorities: [ca] }) }),
      lookup: async (host, family) => {
        if (family === 4) return ['127.0.0.1']
        throw systemError('ENOTFOUND', `no IPv6 address of ${host}`)
      },
      ...platform,
    },
  })
}

/** The cause of a step, or its status if it has none. */
export function outcomeOf({ steps }: RelayReport, id: StepId): string {
  const verdict = steps.find(step => step.id === id)?.verdict
  if (verdict === undefined) return 'not taken'
  return 'cause' in verdict ? `${verdict.status}: ${verdict.cause.id}` : verdict.status
}

/** Layer and cause of what is wrong. */
export function conclusionOf({ conclusion }: RelayReport): string {
  return conclusion === undefined ? 'all is well' : `${conclusion.layer}: ${conclusion.cause.id}`
}

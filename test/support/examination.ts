/** `derp doctor` on servers of loopback, with time moved by hand. */

import { diagnoseRelay, type RelayReport, type StepReport } from '../../src/diagnose/diagnose.ts'
import { nodePlatform } from '../../src/diagnose/node-platform.ts'
import type { Platform } from '../../src/diagnose/platform.ts'
import type { DiagnoseOptions, StepId } from '../../src/diagnose/step.ts'
import { type RelayTarget, type TargetPorts, targetOfUrl } from '../../src/diagnose/target.ts'
import { FakeClock } from './fake-clock.ts'

/** Milliseconds for a step; only a test moves them on. */
export const STEP_MS = 5_000

export interface ExamineOptions extends DiagnoseOptions {
  readonly clock?: FakeClock
  /** PEM that is trusted besides nothing. */
  readonly ca?: string
  /** Lower-case hex. */
  readonly pin?: string
  readonly ports?: TargetPorts
  /** Parts of the platform to be replaced. */
  readonly platform?: Partial<Platform>
  readonly others?: readonly RelayTarget[]
  readonly onStep?: (report: StepReport) => void
}

/** A clock that agrees with certificates made now. */
export function clockOfNow(): FakeClock {
  return new FakeClock({ wallMs: Date.now() })
}

/** A failure as the platform reports it. */
export function systemError(code: string, message = code): Error {
  return Object.assign(new Error(message), { code })
}

/** Examines a relay; names of hosts lead to 127.0.0.1. */
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

/** The cause of a step, or its status where it has none. */
export function outcomeOf({ steps }: RelayReport, id: StepId): string {
  const verdict = steps.find(step => step.id === id)?.verdict
  if (verdict === undefined) return 'not taken'
  return 'cause' in verdict ? `${verdict.status}: ${verdict.cause.id}` : verdict.status
}

/** Layer and cause of what is wrong. */
export function conclusionOf({ conclusion }: RelayReport): string {
  return conclusion === undefined ? 'all is well' : `${conclusion.layer}: ${conclusion.cause.id}`
}

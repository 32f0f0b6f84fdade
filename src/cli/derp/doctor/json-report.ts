/** Diagnoses as JSON. Pure. */

import type { RelayReport, StepReport } from '../../../diagnose/diagnose.ts'
import type { Subject } from './subject.ts'

export function jsonReport(reports: readonly RelayReport[], { notes }: Subject, exitCode: number): string {
  const document = {
    ok: exitCode === 0,
    exitCode,
    notes,
    relays: reports.map(({ target, steps, conclusion }) => ({
      relay: target.name,
      url: target.endpoint.url.href,
      ...(target.regionId !== undefined && { regionId: target.regionId }),
      ok: conclusion === undefined,
      ...(conclusion !== undefined && {
        cause: { ...conclusion.cause, layer: conclusion.layer, detail: conclusion.detail },
      }),
      steps: steps.map(jsonStep),
    })),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function jsonStep({ id, layer, verdict, ms }: StepReport): object {
  const base = { step: id, layer, status: verdict.status }
  if (verdict.status === 'skipped') return { ...base, reason: verdict.reason }
  const time = { ms: Math.round(ms * 10) / 10 }
  if (verdict.status === 'passed') return { ...base, ...time, detail: verdict.detail }
  return { ...base, ...time, detail: verdict.detail, cause: verdict.cause }
}

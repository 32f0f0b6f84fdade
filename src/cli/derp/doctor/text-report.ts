/** Diagnoses as text: a line per step, then the cause and fix. Pure. */

import type { RelayReport, StepReport } from '../../../diagnose/diagnose.ts'
import { STEPS } from '../../../diagnose/steps.ts'
import type { RelayTarget } from '../../../diagnose/target.ts'
import type { Verdict } from '../../../diagnose/verdict.ts'

const MARKS = { passed: 'ok', failed: 'FAILED', warning: 'warning', skipped: 'skipped' } as const
const MARK_WIDTH = Math.max(...Object.values(MARKS).map(mark => mark.length))
const TITLE_WIDTH = Math.max(...STEPS.map(({ title }) => title.length))

export function relayTitle({ name }: RelayTarget): string {
  return name
}

export function stepLine({ title, verdict, ms }: StepReport): string {
  const time = verdict.status === 'skipped' ? '' : `${ms.toFixed(0)} ms`
  const columns = [MARKS[verdict.status].padEnd(MARK_WIDTH), title.padEnd(TITLE_WIDTH), time.padStart(8)]
  return `  ${columns.join('  ')}  ${textOf(verdict)}`.trimEnd().concat('\n')
}

/** The cause and fix of the first failure, then the warnings with theirs. */
export function conclusionText({ steps, conclusion }: RelayReport): string {
  const warnings = steps.flatMap(({ title, verdict }) =>
    verdict.status === 'warning'
      ? [`${title}: ${verdict.cause.sentence} (${verdict.detail}): ${verdict.cause.fix}.`]
      : [],
  )
  const notes = warnings.map(text => `Warning: ${text}\n`).join('')
  if (conclusion === undefined)
    return `\n${notes}${warnings.length === 0 ? 'No problems found.' : 'No other problems found.'}\n`
  const { cause, detail } = conclusion
  return `\nCause: ${cause.sentence} (${detail}).\nFix: ${cause.fix}.\n${notes}`
}

function textOf(verdict: Verdict): string {
  if (verdict.status === 'skipped') return verdict.reason
  return verdict.status === 'passed' ? verdict.detail : `${verdict.cause.sentence} (${verdict.detail})`
}

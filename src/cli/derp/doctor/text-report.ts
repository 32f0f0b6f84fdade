/** Examinations as text: a line for each step as it is done, then what is wrong. Pure. */

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

/** The cause of the first failure with its mend, then the warnings with theirs. */
export function conclusionText({ steps, conclusion }: RelayReport): string {
  const warnings = steps.flatMap(({ title, verdict }) =>
    verdict.status === 'warning'
      ? [`${title}: ${verdict.cause.sentence} (${verdict.detail}): ${verdict.cause.mend}.`]
      : [],
  )
  const notes = warnings.map(text => `Warning: ${text}\n`).join('')
  if (conclusion === undefined)
    return `\n${notes}${warnings.length === 0 ? 'All is well.' : 'Otherwise all is well.'}\n`
  const { cause, detail } = conclusion
  return `\nCause: ${cause.sentence} (${detail}).\nMend: ${cause.mend}.\n${notes}`
}

function textOf(verdict: Verdict): string {
  if (verdict.status === 'skipped') return verdict.reason
  return verdict.status === 'passed' ? verdict.detail : `${verdict.cause.sentence} (${verdict.detail})`
}

/** What the relay says of itself at `/readyz`: whether it may take clients, and is in its region (P-171). */

import { fixOfCheck } from '../check-fixes.ts'
import { openRoute } from '../connect.ts'
import { exchange, formatGet } from '../http-exchange.ts'
import type { Step } from '../step.ts'
import { type Fault, failed, passed, skipped, warning } from '../verdict.ts'

interface Finding {
  readonly name: string
  /** Shown only to those who may see debug pages. */
  readonly reason?: string
}

interface Report {
  readonly ready: boolean
  readonly problems: readonly Finding[]
  readonly degraded: readonly Finding[]
}

export const readiness: Step = {
  id: 'readiness',
  title: 'Readiness',
  layer: 'relaying',
  after: ['http'],
  silence: 'http-silent',
  isOptional: () => true,
  needs: ({ openTcp }) => openTcp !== undefined,
  async run(examination, signal) {
    const { target, platform } = examination
    const url = new URL('/readyz?format=json', target.endpoint.url)
    const answer = await exchange(await openRoute(examination, signal), formatGet(url), platform.clock, signal)
    const report = answer.kind === 'response' ? reportIn(answer.text) : undefined
    if (report === undefined) return skipped('this server has no /readyz')
    if (!report.ready) return withFixes(failed('not-ready', textOf(report.problems)), report.problems)
    if (report.degraded.length > 0) return withFixes(warning('degraded', textOf(report.degraded)), report.degraded)
    return passed('ready')
  },
}

/** Undefined for anything else than a report. */
function reportIn(text: string): Report | undefined {
  try {
    const { ready, problems, degraded } = JSON.parse(text) as Partial<Report>
    if (typeof ready !== 'boolean' || !Array.isArray(problems) || !Array.isArray(degraded)) return undefined
    return { ready, problems, degraded }
  } catch {
    return undefined
  }
}

/** Names checks where there are several: the reasons stand elsewhere in the report. */
function withFixes(fault: Fault, findings: readonly Finding[]): Fault {
  const [first] = findings
  const each = findings.map(({ name }) => `${name}: ${fixOfCheck(name)}`).join('; ')
  const fix = findings.length === 1 && first !== undefined ? fixOfCheck(first.name) : each
  return { ...fault, cause: { ...fault.cause, fix } }
}

function textOf(findings: readonly Finding[]): string {
  return findings.map(({ name, reason }) => (reason === undefined ? name : `${name}: ${reason}`)).join('; ')
}

/** `derpprobe -once`: one round of all probes, and its result. */

import { abortable } from '../../lib/abort.ts'
import type { Clock } from '../../lib/clock.ts'
import { isDerpError } from '../../lib/derp-error.ts'
import type { DerpProber } from '../../monitor/derp-prober.ts'
import { junitText } from '../../monitor/junit.ts'
import { formatLatency } from '../../monitor/probe-info.ts'
import type { Prober } from '../../monitor/prober.ts'
import { type ProbeReport, reportOf } from '../../monitor/report.ts'
import type { CommandIo } from '../command-io.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit.ts'
import type { ReportFormat } from './probe-settings.ts'

export interface OnceRun {
  readonly prober: Prober
  readonly derp: DerpProber
  readonly clock: Clock
  readonly map: string
  readonly format: ReportFormat
  readonly io: CommandIo
}

/** Resolves to the exit code: that of a failure if any probe failed, or if it was interrupted. */
export async function runOnce({ prober, derp, clock, map, format, io }: OnceRun): Promise<number> {
  const startedAtMs = clock.wallNow()
  derp.start()
  const isWhole = await abortable(prober.finished(), io.ended, 'probe once').then(
    () => true,
    error => {
      if (!isDerpError(error, 'ERR_DERP_ABORTED')) throw error
      return false
    },
  )
  const report = reportOf({ startedAtMs, endedAtMs: clock.wallNow(), map, infos: prober.infos() })
  await io.out(FORMATTERS[format](report))
  if (!isWhole) io.err('derpprobe: interrupted before all probes had run\n')
  return report.bad === 0 && isWhole ? EXIT_OK : EXIT_FAILED
}

const FORMATTERS: Readonly<Record<ReportFormat, (report: ProbeReport) => string>> = {
  text: textOf,
  json: report => `${JSON.stringify(report, undefined, 2)}\n`,
  junit: junitText,
}

/** Good ones first, as in the original. */
function textOf({ probes }: ProbeReport): string {
  const good = probes.filter(({ result }) => result === 'good')
  const bad = probes.filter(({ result }) => result === 'bad')
  const lines = [
    ...good.map(({ name, latencyMs = 0 }) => `good: ${name}: ${formatLatency(latencyMs)}`),
    ...bad.map(({ name, error = '' }) => `bad: ${name}: ${error}`),
    ...probes.flatMap(({ name, notes }) => notes.map(note => `note: ${name}: ${note}`)),
  ]
  return lines.map(line => `${line}\n`).join('')
}

/** `/debug/probe-run` and `/debug/probe-all`: probes on demand, in the forms of the original. */

import { firstHeader } from '../../http/header.ts'
import type { Page } from '../../http/page.ts'
import { queryOf } from '../../http/query.ts'
import { errorReply, replyOf } from '../../http/reply.ts'
import type { Probe } from '../../monitor/probe.ts'
import {
  formatLatency,
  nanoseconds,
  type ProbeInfo,
  probeInfoJson,
  recentMedianMs,
  recentSuccessRatio,
} from '../../monitor/probe-info.ts'
import type { Prober } from '../../monitor/prober.ts'

const JSON_TYPE = 'application/json'
const TEXT = 'text/plain; charset=utf-8'
/** The original's status for a failed probe. */
const FAILED_DEPENDENCY = 424

/** Runs the probe that `?name=` names. */
export function probeRunPage(prober: Pick<Prober, 'probe'>): Page {
  return async request => {
    const name = queryOf(request).get('name') ?? ''
    if (name === '') return errorReply(400, 'missing name parameter')
    const probe = prober.probe(name)
    if (probe === undefined || probe.isContinuous)
      return errorReply(
        404,
        `unknown probe ${JSON.stringify(name)}: / lists those of the DERP map, once that has been read`,
      )
    const { before, info } = await runOf(probe)
    const status = info.error === undefined ? 200 : FAILED_DEPENDENCY
    if (firstHeader(request, 'accept') === JSON_TYPE) {
      return replyOf(status, JSON_TYPE, `${JSON.stringify(runJson(before, info))}\n`)
    }
    return replyOf(status, TEXT, runText(info))
  }
}

/** Runs all probes but those of `?exclude=` and continuous ones, side by side. */
export function probeAllPage(prober: Pick<Prober, 'probes'>): Page {
  return async request => {
    const excluded = new Set(queryOf(request).getAll('exclude'))
    const probes = prober.probes.filter(({ plan, isContinuous }) => !isContinuous && !excluded.has(plan.name))
    const runs = await Promise.all(probes.map(runOf))
    const status = runs.every(({ info }) => info.error === undefined) ? 200 : FAILED_DEPENDENCY
    const results = Object.fromEntries(runs.map(({ before, info }) => [info.name, runJson(before, info)]))
    return replyOf(status, JSON_TYPE, `${JSON.stringify({ Results: results })}\n`)
  }
}

async function runOf(probe: Probe): Promise<{ readonly before: ProbeInfo; readonly info: ProbeInfo }> {
  const before = probe.info
  return { before, info: await probe.run() }
}

function runJson(before: ProbeInfo, info: ProbeInfo): object {
  return {
    ProbeInfo: probeInfoJson(info),
    PreviousSuccessRatio: recentSuccessRatio(before),
    PreviousMedianLatency: nanoseconds(recentMedianMs(before)),
  }
}

function runText(info: ProbeInfo): string {
  const { error, latencyMs = 0, recentResults } = info
  const first = error === undefined ? `Probe succeeded in ${formatLatency(latencyMs)}` : `Probe failed: ${error}`
  const ratio = Math.floor(recentSuccessRatio(info) * 100)
  const median = formatLatency(recentMedianMs(info))
  const lines = [
    first,
    `Last ${recentResults.length} probes (including this one): success rate ${ratio}%, median latency ${median}`,
    ...info.notes,
  ]
  return `${lines.join('\n')}\n`
}

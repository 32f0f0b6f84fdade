/** The page at `/`: what is well and what is not, as a table of nodes. HTML without script; a script keeps it fresh. Pure. */

import { escapeHtml } from '../../http/debug/html.ts'
import type { MatrixCell, RegionMatrix } from '../../monitor/matrix.ts'
import { recentRuns } from '../../monitor/matrix.ts'
import { formatLatency, isContinuous, type ProbeInfo } from '../../monitor/probe-info.ts'
import { sparkline } from './sparkline.ts'

export interface StatusPage {
  readonly matrix: readonly RegionMatrix[]
  readonly infos: readonly ProbeInfo[]
  readonly version: string
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** Seconds after which a browser without script loads the page again. */
const REFRESH_S = 30

const STYLE = `
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; }
h1 { font-weight: 500; } h2 { font-weight: 500; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .35rem .6rem; text-align: left; vertical-align: top; }
th { font-weight: 500; } tbody th small, td small { color: #555; font-weight: 400; }
.cell { border-radius: .25rem; padding: .2rem .4rem; margin: .1rem 0; white-space: nowrap; }
.green { background: #cdeccd; } .amber { background: #ffe3a3; } .red { background: #f8c4c0; } .grey { background: #eee; }
.error { white-space: normal; color: #8a1c12; max-width: 60rem; }
svg { vertical-align: middle; margin-left: .4rem; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } a { color: #8ab4f8; }
  tbody th small, td small { color: #aaa; }
  .green { background: #1d4d24; } .amber { background: #6a4b00; } .red { background: #6e2019; } .grey { background: #333; }
  .error { color: #ff9d92; }
}
`

export function statusHtml({ matrix, infos, version, nowMs }: StatusPage): string {
  const bad = infos.filter(({ error }) => error !== undefined)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${bad.length > 0 ? `(${bad.length}) ` : ''}DERP prober</title>
<meta name="viewport" content="width=device-width">
<noscript><meta http-equiv="refresh" content="${REFRESH_S}"></noscript>
<style>${STYLE}</style><script src="/derpprobe.js" defer></script></head><body>
<main>
<h1>DERP prober</h1>
<p>${summaryOf(infos, bad)} <a href="/debug/varz">Metrics</a> · <a href="/debug/">Debug</a></p>
${matrix.map(regionHtml).join('\n')}
${failuresHtml(bad, nowMs)}
${allHtml(infos, nowMs)}
<p><small>derpprobe ${escapeHtml(version)}, ${new Date(nowMs).toISOString()}</small></p>
</main>
</body></html>
`
}

function summaryOf(infos: readonly ProbeInfo[], bad: readonly ProbeInfo[]): string {
  const pending = infos.filter(({ endedAtMs, intervalMs }) => endedAtMs === undefined && intervalMs > 0).length
  const later = pending === 0 ? '' : ` ${pending} have not run yet.`
  if (bad.length > 0) return `<b class="cell red">${bad.length} of ${infos.length} probes failed.</b>${later}`
  return `${infos.length} probes, none failed.${later}`
}

function regionHtml({ code, name, columns, rows }: RegionMatrix): string {
  const title = name === '' || name === code ? code : `${code} · ${name}`
  const body = rows.map(({ node, hostname, cells }) => {
    const head = `<th scope="row">${escapeHtml(node)}<br><small>${escapeHtml(hostname)}</small></th>`
    return `<tr>${head}${cells.map(cell => `<td>${cell.map(cellHtml).join('')}</td>`).join('')}</tr>`
  })
  return `<h2>${escapeHtml(title)}</h2>
<table><thead><tr><th>node</th>${columns.map(column => `<th scope="col">${escapeHtml(column)}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table>`
}

function cellHtml({ info, color }: MatrixCell): string {
  const { name, error } = info
  const title = error === undefined ? name : `${name}: ${error}`
  const kind = /\/(bw|qd)$/.exec(name)?.[1]
  const text = `${kind === undefined ? '' : `${kind} `}${stateText(info)}`
  return `<div class="cell ${color}" title="${escapeHtml(title)}">${escapeHtml(text)}${sparkline(recentRuns(info))}</div>`
}

function stateText(info: ProbeInfo): string {
  if (info.error !== undefined) return 'failed'
  if (isContinuous(info)) return info.status === 'running' ? 'measuring' : 'not run yet'
  return info.latencyMs === undefined ? 'not run yet' : formatLatency(Math.round(info.latencyMs * 10) / 10)
}

function failuresHtml(bad: readonly ProbeInfo[], nowMs: number): string {
  if (bad.length === 0) return ''
  const items = bad.map(({ name, error = '', endedAtMs }) => {
    const ago = endedAtMs === undefined ? '' : `, ${agoText(nowMs - endedAtMs)}`
    return `<li><b>${escapeHtml(name)}</b>${ago}: <span class="error">${escapeHtml(error)}</span></li>`
  })
  return `<h2>Failures</h2>\n<ul>\n${items.join('\n')}\n</ul>`
}

function allHtml(infos: readonly ProbeInfo[], nowMs: number): string {
  const rows = infos.map(info => {
    const ended = info.endedAtMs === undefined ? 'never' : agoText(nowMs - info.endedAtMs)
    const run = isContinuous(info) ? '' : `<a href="/debug/probe-run?name=${encodeURIComponent(info.name)}">run now</a>`
    const notes = [info.error ?? '', ...info.notes].filter(text => text !== '').join('; ')
    const cells = [info.name, info.class, intervalText(info), ended, info.status, stateText(info)]
    return `<tr>${cells.map(cell => `<td>${escapeHtml(cell)}</td>`).join('')}<td>${run}</td><td><small>${escapeHtml(notes)}</small></td></tr>`
  })
  const head = ['name', 'class', 'interval', 'last run', 'status', 'latency', '', 'remarks']
  return `<h2>Probes</h2>
<table><thead><tr>${head.map(cell => `<th scope="col">${cell}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>`
}

function intervalText(info: ProbeInfo): string {
  return isContinuous(info) ? 'continuous' : `${info.intervalMs / 1_000} s`
}

function agoText(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1_000))} s ago`
}

/** The status page without script: the tables as they are now. The script of the page updates them. */

import { escapeHtml } from '../../http/debug/html.ts'
import { CLIENT_TITLES, clientCells } from './client-cells.ts'
import { formatAge, formatValue } from './format.ts'
import type { ClientRow, ClientRows, Problem, StatusGroup, StatusList, StatusReport, Verdict } from './status-report.ts'

/** The body of the page. @param hasLogin whether the viewer came by a login. */
export function statusBody(report: StatusReport, clients: ClientRows, hasLogin: boolean): string {
  const logout = hasLogin
    ? '<form method="post" action="/debug/status/logout"><button type="submit">Log out</button></form>'
    : ''
  return `<header>
<h1>Relay status</h1>
<p id="about">${about(report)}</p>
${logout}</header>
<main>
${verdictHtml(report.verdict)}
<section id="charts" aria-label="Charts" hidden></section>
<section aria-label="Numbers" class="groups" id="groups">
${report.groups.map(groupHtml).join('\n')}
${report.lists.map(listHtml).join('\n')}
</section>
<section aria-labelledby="clients-title" id="clients">
<h2 id="clients-title">Clients</h2>
${clientsHtml(clients)}
</section>
</main>
<footer><p><a href="/debug/">Debug pages</a> · <a href="/debug/varz">Metrics</a></p></footer>`
}

/** Reloads the page periodically where scripts are off. */
export const REFRESH: string = '<noscript><meta http-equiv="refresh" content="10"></noscript>\n'

function about({ version, uptimeSeconds }: StatusReport): string {
  const versioned = version === '' ? '' : `derper ${escapeHtml(version)}, `
  return `${versioned}running for <span id="uptime">${formatAge(uptimeSeconds)}</span>`
}

function verdictHtml({ level, text, problems }: Verdict): string {
  const items = problems.map(problemHtml).join('')
  return `<section id="verdict" class="${level}" aria-label="Verdict">
<p role="status" id="verdict-text">${escapeHtml(sentence(text))}</p>
<ul id="problems">${items}</ul>
</section>`
}

function problemHtml({ level, text, fix }: Problem): string {
  return `<li class="${level}"><b>${escapeHtml(text)}</b> — ${escapeHtml(fix)}</li>`
}

function groupHtml({ id, title, rows }: StatusGroup): string {
  const lines = rows.map(({ metric, label, value, unit }) => {
    const from = metric === undefined ? '' : ` data-metric="${escapeHtml(metric)}"`
    return `<tr><th scope="row">${escapeHtml(label)}</th><td${from}>${formatValue(value, unit)}</td></tr>`
  })
  return `<table id="group-${id}"><caption>${escapeHtml(title)}</caption><tbody>${lines.join('')}</tbody></table>`
}

function listHtml({ id, title, columns, rows }: StatusList): string {
  const head = columns.map(column => `<th scope="col">${escapeHtml(column)}</th>`).join('')
  const body = rows.map(cells => `<tr>${cells.map(cell => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`).join('')
  return `<table id="list-${id}"><caption>${escapeHtml(title)}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
}

function clientsHtml({ total, rows }: ClientRows): string {
  const head = Object.values(CLIENT_TITLES)
    .map(title => `<th scope="col">${title}</th>`)
    .join('')
  const more =
    rows.length < total
      ? `<p class="more">The ${rows.length} busiest of ${total}. <a href="/debug/clients">All of them</a></p>`
      : ''
  return `<div class="rows"><table><caption class="hidden">Connected clients</caption><thead><tr>${head}</tr></thead><tbody>
${rows.map(clientHtml).join('\n')}
</tbody></table></div>
${more}`
}

function clientHtml(row: ClientRow): string {
  return `<tr>${clientCells(row)
    .map(cell => `<td>${escapeHtml(cell)}</td>`)
    .join('')}</tr>`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

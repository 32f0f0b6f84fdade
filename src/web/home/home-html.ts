/** The home page as HTML, complete without script. Pure. */

import type { DERPMap } from '../../derpmap/types.ts'
import { escapeHtml } from '../../http/debug/html.ts'
import type { Finding, ReadinessReport } from '../../status/readiness.ts'

export interface HomeView {
  /** Undefined if the relay accepts no DERP connections at all. */
  readonly report: ReadinessReport | undefined
  readonly map: DERPMap
  readonly remarks: readonly string[]
  /** Whether the visitor may see `/debug/`, and the reasons for problems. */
  readonly isOperator: boolean
  /** Whether the visitor may open the status page, or log in there. */
  readonly hasStatus: boolean
  readonly hasDemo: boolean
}

type Link = readonly [path: string, title: string]

const ABOUT: readonly Link[] = [
  ['https://tailscale.com/kb/1232/derp-servers', 'About DERP'],
  ['https://pkg.go.dev/tailscale.com/derp', 'Protocol and Go documentation'],
]
const DEMO: Link = ['/demo', 'Demo: two tabs exchange messages and files']
const STATUS: Link = ['/debug/status', 'Status, live']
const OPERATOR: readonly Link[] = [
  ['/debug/', 'Debug pages'],
  ['/debug/clients', 'Clients'],
  ['/debug/varz', 'Metrics'],
]

/** The body of the page. */
export function homeBody({ report, map, remarks, isOperator, hasStatus, hasDemo }: HomeView): string {
  const links = [...(hasDemo ? [DEMO] : []), ...(hasStatus ? [STATUS] : []), ...(isOperator ? OPERATOR : [])]
  return `<header><h1>DERP relay</h1></header>
<main>
<p>This is a DERP server: it relays end-to-end encrypted traffic between Tailscale and Headscale clients that cannot reach
each other directly, and helps them to find direct paths.</p>
${verdictHtml(report, isOperator)}
<section id="check" aria-label="Check from this browser" hidden></section>
<section aria-labelledby="map-title">
<h2 id="map-title">In a DERP map</h2>
<pre tabindex="0" aria-label="DERP map with this relay">${escapeHtml(JSON.stringify(map, null, 2))}</pre>
${remarks.map(remark => `<p>${escapeHtml(remark)}</p>`).join('\n')}
<p>On a command line, <code>derp map make</code> prints such a map for Tailscale and Headscale, and <code>derp doctor</code> tells what
is wrong with a relay.</p>
</section>
${links.length === 0 ? '' : linksHtml('For the operator', links)}
${linksHtml('More', [...ABOUT, ['/readyz', 'Readiness, for programs']])}
</main>`
}

function verdictHtml(report: ReadinessReport | undefined, withReasons: boolean): string {
  if (report === undefined) return verdict('failing', 'Status: disabled. This relay accepts no DERP connections.', [])
  const { ready, problems, degraded } = report
  const items = [...problems, ...degraded].map(finding => itemHtml(finding, withReasons))
  if (!ready) return verdict('failing', 'It does not work now:', items)
  if (degraded.length > 0) return verdict('degraded', 'It works, but not everything is well:', items)
  return verdict('well', 'It works: this relay accepts clients.', [])
}

function verdict(level: string, text: string, items: readonly string[]): string {
  return `<section id="verdict" class="${level}" aria-label="State">
<p>${text}</p>
<ul>${items.join('')}</ul>
</section>`
}

function itemHtml({ name, reason }: Finding, withReasons: boolean): string {
  return `<li>${escapeHtml(withReasons ? `${name}: ${reason}` : name)}</li>`
}

function linksHtml(title: string, links: readonly Link[]): string {
  const items = links.map(([path, text]) => `<li><a href="${path}">${text}</a></li>`)
  return `<section>
<h2>${title}</h2>
<ul>${items.join('')}</ul>
</section>`
}

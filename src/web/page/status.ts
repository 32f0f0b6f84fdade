/** The status page alive: reports as they come, charts, and the table of clients. */

import { formatAge } from '../status/format.ts'
import type { ChartPoint, StatusReport } from '../status/status-report.ts'
import { Charts } from './charts.ts'
import { ClientsView } from './clients-view.ts'
import { byId, setText } from './dom.ts'
import { showNumbers } from './numbers.ts'
import { showLost, showVerdict } from './verdict-view.ts'
import './status.css'

const charts = new Charts(byId('charts'))
const clients = new ClientsView(byId('clients'))

// Access by a key in the address goes along.
const events = new EventSource(`/debug/status/events${location.search}`)
events.addEventListener('points', event => charts.begin(JSON.parse(event.data) as ChartPoint[]))
events.addEventListener('report', event => {
  const report = JSON.parse(event.data) as StatusReport
  // Before anything changes: it reads where the table is scrolled to, for which changes would have to be laid out.
  void clients.refresh()
  setText(byId('uptime'), formatAge(report.uptimeSeconds))
  showVerdict(report.verdict)
  showNumbers(report)
  if (report.point !== undefined) charts.add(report.point)
})
events.addEventListener('error', () => showLost(events.readyState === EventSource.CLOSED))

/** The script of the status page: live reports, charts, and the table of clients. */

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

// A key in the address is passed on.
const events = new EventSource(`/debug/status/events${location.search}`)
events.addEventListener('points', event => charts.begin(JSON.parse(event.data) as ChartPoint[]))
events.addEventListener('report', event => {
  const report = JSON.parse(event.data) as StatusReport
  // Before any change: it reads the scroll position, which would force a layout after one.
  void clients.refresh()
  setText(byId('uptime'), formatAge(report.uptimeSeconds))
  showVerdict(report.verdict)
  showNumbers(report)
  if (report.point !== undefined) charts.add(report.point)
})
events.addEventListener('error', () => showLost(events.readyState === EventSource.CLOSED))

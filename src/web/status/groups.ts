/** Which metrics the status page shows, under which names. Pure. */

import type { StatusGroup, StatusRow, Unit } from './status-report.ts'

/** All metrics by name and labels, as in `/debug/varz`. */
export type Samples = ReadonlyMap<string, number>

/** A metric with its name on the page; or all values of a labelled one, each under its label. */
type RowPlan =
  | readonly [label: string, metric: string, unit?: Unit]
  | { readonly each: string; readonly unit?: Unit }
  | { readonly meanOf: string; readonly label: string }

const GROUPS: readonly { readonly id: string; readonly title: string; readonly rows: readonly RowPlan[] }[] = [
  {
    id: 'clients',
    title: 'Clients',
    rows: [
      ['connections', 'derp_current_connections'],
      ['keys in the region', 'derp_clients_total'],
      ['keys here', 'derp_clients_local'],
      ['keys at mesh peers', 'derp_clients_remote'],
      ['at home here', 'derp_current_home_connections'],
      ['keys connected more than once', 'derp_current_dup_client_keys'],
      ['watchers', 'derp_watchers'],
      ['logging in', 'derphttp_pending_logins'],
      ['logins', 'derphttp_logins'],
      ['held back by the total rate', 'derphttp_total_rate_held_back'],
    ],
  },
  {
    id: 'traffic',
    title: 'Traffic',
    rows: [
      ['packets received', 'derp_packets_received'],
      ['packets sent', 'derp_packets_sent'],
      ['bytes received', 'derp_bytes_received', 'bytes'],
      ['bytes sent', 'derp_bytes_sent', 'bytes'],
      ['packets from mesh peers', 'derp_packets_forwarded_in'],
      ['packets to mesh peers', 'derp_packets_forwarded_out'],
      ['bytes waiting to be sent', 'derphttp_pending_bytes', 'bytes'],
    ],
  },
  {
    id: 'region',
    title: 'Region over NATS',
    rows: [
      ['joined', 'derphttp_region_joined'],
      ['other relays', 'derphttp_region_relays'],
      ['links in use', 'derphttp_region_links_up'],
      ['routes to clients elsewhere', 'derphttp_region_routes'],
      ['searches for clients', 'derphttp_region_searches'],
      ['packets waiting for one', 'derphttp_region_packets_waiting'],
      ['packets forwarded', 'derphttp_region_packets_forwarded'],
      ['bytes forwarded', 'derphttp_region_bytes_forwarded', 'bytes'],
      ['messages lost', 'derphttp_region_messages_lost'],
    ],
  },
  {
    id: 'region-drops',
    title: 'Packets dropped on links of the region',
    rows: [{ each: 'derphttp_region_packets_dropped' }],
  },
  { id: 'drops', title: 'Packets dropped, by reason', rows: [{ each: 'derphttp_packets_dropped' }] },
  {
    id: 'delays',
    title: 'Delays',
    rows: [
      ['in queues, moving average', 'derp_average_queue_duration_ms', 'ms'],
      { label: 'in queues, since start', meanOf: 'derphttp_queue_age_ms' },
      { label: 'of the event loop, longest in 5 s, mean', meanOf: 'derphttp_event_loop_delay_ms' },
      { label: 'of logins', meanOf: 'derphttp_login_ms' },
      { label: 'of clients’ replies to pings', meanOf: 'derphttp_client_round_trip_ms' },
    ],
  },
  {
    id: 'admission',
    title: 'Clients admitted, and denied by reason',
    rows: [['admitted', 'derphttp_admission_admitted'], { each: 'derphttp_admission_denied' }],
  },
  {
    id: 'connections',
    title: 'Connections',
    rows: [
      ['open', 'derphttp_connections'],
      ['accepted', 'derphttp_connections_accepted'],
      ['over WebSocket', 'derp_websocket_accepts'],
    ],
  },
  { id: 'refusals', title: 'Connections refused, by reason', rows: [{ each: 'derphttp_connections_refused' }] },
  { id: 'failures', title: 'Connections that failed, by code', rows: [{ each: 'derphttp_failures' }] },
  { id: 'stun', title: 'STUN requests', rows: [{ each: 'stun_requests' }] },
  {
    id: 'workers',
    title: 'Workers',
    rows: [
      ['running', 'derphttp_workers'],
      ['crashed', 'derphttp_worker_crashes'],
    ],
  },
  {
    id: 'process',
    title: 'Process',
    rows: [
      ['resident memory', 'process_resident_memory_bytes', 'bytes'],
      ['processor time', 'process_cpu_seconds_total', 'seconds'],
      ['open files', 'process_open_fds'],
      ['open files, at most', 'process_max_fds'],
    ],
  },
]

/** The tables of numbers; those without a single row are left out. */
export function statusGroups(samples: Samples): StatusGroup[] {
  return GROUPS.map(({ id, title, rows }) => ({ id, title, rows: rows.flatMap(plan => rowsOf(plan, samples)) })).filter(
    ({ rows }) => rows.length > 0,
  )
}

function rowsOf(plan: RowPlan, samples: Samples): StatusRow[] {
  if ('each' in plan) return eachOf(plan.each, samples).map(row => ({ ...row, unit: plan.unit ?? 'count' }))
  if ('meanOf' in plan) {
    const [sum, count] = [samples.get(`${plan.meanOf}_sum`) ?? 0, samples.get(`${plan.meanOf}_count`) ?? 0]
    return count === 0 ? [] : [{ label: plan.label, value: sum / count, unit: 'ms' }]
  }
  const [label, metric, unit = 'count'] = plan
  const value = samples.get(metric)
  return value === undefined ? [] : [{ metric, label, value, unit }]
}

function eachOf(name: string, samples: Samples): Omit<StatusRow, 'unit'>[] {
  return labelledValues(name, samples).map(({ metric, label, value }) => ({ metric, label: inWords(label), value }))
}

/** All values of a metric with one label. */
export function labelledValues(name: string, samples: Samples): { metric: string; label: string; value: number }[] {
  const start = `${name}{`
  return [...samples]
    .filter(([metric]) => metric.startsWith(start))
    .map(([metric, value]) => ({ metric, label: /="(.*)"\}$/.exec(metric)?.[1] ?? '', value }))
}

function inWords(label: string): string {
  return /^[a-z_]+$/.test(label) ? label.replaceAll('_', ' ') : label
}

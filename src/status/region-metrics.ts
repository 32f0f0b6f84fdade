/** Metrics of a relay in a region over NATS; shown only there. */

import { FORWARD_DROP_REASONS } from '../metrics/mesh-counters.ts'
import type { RegionSnapshot } from '../metrics/region-counters.ts'
import type { Metric } from './metric.ts'
import { labelled, number } from './metric-rows.ts'

function of(name: string, read: (region: RegionSnapshot) => number): Metric {
  return number(name, ({ region }) => (region === undefined ? 0 : read(region)))
}

function byLabel(name: string, label: string, read: (region: RegionSnapshot) => Record<string, number>): Metric {
  return labelled(name, label, ({ region }) => (region === undefined ? {} : read(region)))
}

export const REGION_METRICS: readonly Metric[] = [
  of('gauge_region_joined', ({ isJoined }) => (isJoined ? 1 : 0)),
  of('gauge_region_relays', ({ members }) => members.length),
  of('gauge_region_routes', ({ routes }) => routes),
  of('gauge_region_packets_waiting', ({ waitingPackets }) => waitingPackets),
  of('gauge_region_links_up', ({ members }) => members.filter(({ isLinkUp }) => isLinkUp).length),
  byLabel('gauge_region_clock_ahead_ms', 'relay', ({ members }) =>
    Object.fromEntries(members.map(({ id, aheadMs }) => [id, aheadMs])),
  ),
  of('counter_region_relays_met', ({ counters }) => counters.relaysMet),
  of('counter_region_relays_lost', ({ counters }) => counters.relaysLost),
  of('counter_region_searches', ({ counters }) => counters.searches),
  byLabel('counter_region_searches_ended', 'result', ({ counters }) => ({
    found: counters.found,
    nobody: counters.searchesForNobody,
    failed: counters.searchesFailed,
  })),
  of('counter_region_superseded', ({ counters }) => counters.superseded),
  of('counter_region_packets_misrouted', ({ counters }) => counters.wentAstray),
  of('counter_region_logins_refused', ({ counters }) => counters.timesRefused),
  of('counter_region_routes_expired', ({ counters }) => counters.routesIdled),
  of('counter_region_routes_evicted', ({ counters }) => counters.routesDisplaced),
  of('counter_region_lists_sent', ({ counters }) => counters.listsSent),
  of('counter_region_lists_requested', ({ counters }) => counters.resyncs),
  of('counter_region_messages_received', ({ counters }) => counters.messagesReceived),
  of('counter_region_messages_unknown', ({ counters }) => counters.messagesUnknown),
  of('counter_region_messages_lost', ({ counters }) => counters.messagesLost),
  of('counter_region_link_connects', ({ links }) => links.connects),
  of('counter_region_packets_forwarded', ({ links }) => links.forwarded.packets),
  of('counter_region_bytes_forwarded', ({ links }) => links.forwarded.bytes),
  byLabel('counter_region_packets_dropped', 'reason', ({ links }) =>
    Object.fromEntries(FORWARD_DROP_REASONS.map(reason => [reason, links.dropped[reason].packets])),
  ),
].map(metric => ({ ...metric, when: ({ region }) => region !== undefined }))

/**
 * Every metric, by its name in `/debug/vars`; both expositions are generated from this table.
 *
 * Clauses: P-183 STUN, P-194 relay, P-195 drops, P-196 daemon. Names and types in the group `derphttp` are ours, all
 * others the original's (those of the rate limit from newer releases), so that dashboards carry over.
 */

import type { Amount } from '../metrics/counters.ts'
import { DROP_REASONS, type DropReason, OWN_DROP_REASONS, type PacketKind } from '../metrics/drop-reason.ts'
import { Histogram, MESH_UPDATE_LOOP_BOUNDS } from '../metrics/histogram.ts'
import { KEY_LENGTH, MAX_PACKET_LENGTH } from '../protocol/constants.ts'
import type { RateLimit } from '../server/reading/rate-limit.ts'
import {
  ADMISSION_METRICS,
  CERTIFICATE_METRICS,
  CONNECTION_METRICS,
  LOG_METRICS,
  MESH_METRICS,
  READINESS_METRICS,
  STUN_REQUEST_METRICS,
  WORKER_METRICS,
} from './daemon-metrics.ts'
import type { LabelledNumber, Metric, PrometheusType, Reader } from './metric.ts'
import { count, group, histogram, labelled, number } from './metric-rows.ts'
import { REGION_METRICS } from './region-metrics.ts'
import type { MetricSnapshot, RelaySnapshot } from './snapshot.ts'

/** A process metric, exported to Prometheus only. */
function ofProcess(name: string, type: PrometheusType, help: string, read: Reader<number>): Metric {
  return { kind: 'number', name, type, help, without: 'vars', read }
}

const PACKET_KINDS: readonly PacketKind[] = ['disco', 'other']

function drops(name: string, help: string, amountOf: (amount: Amount) => number): Metric {
  return {
    kind: 'multi',
    name,
    type: 'counter',
    help,
    labels: ['reason', 'kind'],
    read: ({ relay }) =>
      shownReasons(relay).flatMap(reason =>
        PACKET_KINDS.map(
          (kind): LabelledNumber => ({ labels: [reason, kind], value: amountOf(relay.counters.dropped[reason][kind]) }),
        ),
      ),
  }
}

function packetsDropped({ counters }: RelaySnapshot, reason: DropReason): number {
  const { disco, other } = counters.dropped[reason]
  return disco.packets + other.packets
}

/** The original's reasons, plus those of ours that have occurred. */
function shownReasons(relay: RelaySnapshot): readonly DropReason[] {
  return DROP_REASONS.filter(reason => !OWN_DROP_REASONS.has(reason) || packetsDropped(relay, reason) > 0).toSorted()
}

/** Dropped packets by reason, both kinds. */
function dropsByReason({ relay, workers }: MetricSnapshot): Record<string, number> {
  const reasons = workers === undefined ? shownReasons(relay) : DROP_REASONS
  return Object.fromEntries(reasons.map(reason => [reason, packetsDropped(relay, reason)]))
}

/** Each presence change is written when it is sent, so there is one loop per batch. */
function meshUpdateLoops({ counters }: RelaySnapshot): Histogram {
  const loops = new Histogram(MESH_UPDATE_LOOP_BOUNDS)
  loops.observe(1, counters.meshUpdateBatchSize.count)
  return loops
}

/** A burst is at least one whole frame (P-103). */
function appliedBurst(limit: RateLimit | undefined): number {
  return limit === undefined ? 0 : Math.max(limit.burstBytes, KEY_LENGTH + MAX_PACKET_LENGTH)
}

/** Shown if there is or was a limit. */
const isLimited: Reader<boolean> = ({ relay }) => relay.rateLimit !== undefined || relay.counters.rateLimitWaits > 0

const DERP = group('derp', [
  count('accepts', ({ relay }) => relay.counters.accepts),
  number('average_queue_duration_ms', ({ relay }) => relay.averageQueueMs),
  count('bytes_received', ({ relay }) => relay.counters.bytesReceived),
  count('bytes_sent', ({ relay }) => relay.counters.bytesSent),
  histogram('counter_buffered_write_frames', ({ relay }) => relay.counters.bufferedWriteFrames),
  histogram('counter_mesh_update_batch_size', ({ relay }) => relay.counters.meshUpdateBatchSize),
  histogram('counter_mesh_update_loop_count', ({ relay }) => meshUpdateLoops(relay)),
  labelled('counter_packets_received_kind', 'kind', ({ relay: { counters } }) => ({
    disco: counters.packetsReceivedDisco,
    other: counters.packetsReceivedOther,
  })),
  labelled('counter_tcp_rtt', 'le', () => ({})),
  count('counter_total_dup_client_conns', ({ relay }) => relay.registry.duplicateConnectionsTotal),
  number('gauge_clients_local', ({ relay }) => relay.localKeys),
  number('gauge_clients_remote', ({ relay }) => relay.totalKeys - relay.localKeys),
  number('gauge_clients_total', ({ relay }) => relay.totalKeys),
  number('gauge_current_connections', ({ relay }) => relay.counters.currentConnections),
  number('gauge_current_dup_client_conns', ({ relay }) => relay.registry.duplicateConnections),
  number('gauge_current_dup_client_keys', ({ relay }) => relay.registry.duplicateKeys),
  number('gauge_current_file_descriptors', ({ process }) => process.openFiles),
  number('gauge_current_home_connections', ({ relay }) => relay.counters.currentHomeConnections),
  number('gauge_current_notideal_connections', ({ relay }) => relay.counters.currentNotIdealConnections),
  number('gauge_memstats_sys0', ({ process }) => process.residentBytesAtStart),
  number('gauge_watchers', ({ relay }) => relay.watchers),
  count('got_ping', ({ relay }) => relay.counters.gotPing),
  count('home_moves_in', ({ relay }) => relay.counters.homeMovesIn),
  count('home_moves_out', ({ relay }) => relay.counters.homeMovesOut),
  count('multiforwarder_created', ({ relay }) => relay.registry.multiForwardersCreated),
  count('multiforwarder_deleted', ({ relay }) => relay.registry.multiForwardersDeleted),
  count('packet_forwarder_delete_other_value', ({ relay }) => relay.registry.forwarderRemovalsOfOther),
  count('packets_forwarded_in', ({ relay }) => relay.counters.packetsForwardedIn),
  count('packets_forwarded_out', ({ relay }) => relay.counters.packetsForwardedOut),
  count('packets_received', ({ relay }) => relay.counters.packetsReceivedDisco + relay.counters.packetsReceivedOther),
  count('packets_sent', ({ relay }) => relay.counters.packetsSent),
  count('peer_gone_disconnected_frames', ({ relay }) => relay.counters.peerGoneDisconnectedFrames),
  count('peer_gone_not_here_frames', ({ relay }) => relay.counters.peerGoneNotHereFrames),
  ...[
    number('rate_limit_per_client_bytes_per_second', ({ relay }) => relay.rateLimit?.bytesPerSecond ?? 0),
    number('rate_limit_per_client_burst_bytes', ({ relay }) => appliedBurst(relay.rateLimit)),
    count('rate_limit_per_client_waited', ({ relay }) => relay.counters.rateLimitWaits),
  ].map(metric => ({ ...metric, when: isLimited })),
  count('sclient_write_timeouts', ({ relay }) => relay.counters.writeTimeouts),
  count('sent_pong', ({ relay }) => relay.counters.sentPong),
  count('unknown_frames', ({ relay }) => relay.counters.unknownFrames),
  { kind: 'text', name: 'version', without: 'varz', read: ({ version }) => version },
])

const OWN = group('derphttp', [
  number('gauge_pending_bytes', ({ relay }) => relay.pendingBytes),
  count('counter_total_rate_waits', ({ relay }) => relay.counters.totalRateWaits),
  count('counter_total_rate_wait_ms', ({ relay }) => Math.round(relay.counters.totalRateWaitMs)),
  number('gauge_total_rate_held_back', ({ relay }) => relay.heldBack),
  number('gauge_pending_logins', ({ relay }) => relay.pendingLogins),
  count('counter_logins', ({ relay }) => relay.counters.logins),
  labelled('counter_packets_dropped', 'reason', dropsByReason),
  labelled('counter_failures', 'code', ({ relay }) => relay.counters.failures),
  histogram('histogram_accept_ms', ({ relay }) => relay.counters.acceptMs),
  histogram('histogram_login_ms', ({ relay }) => relay.counters.loginMs),
  histogram('histogram_queue_age_ms', ({ relay }) => relay.counters.queueAgeMs),
  labelled('counter_tls_handshake_failures', 'cause', ({ http }) => http.tlsHandshakeFailures),
  {
    ...labelled('counter_proxy_headers', 'result', ({ http }) => ({ ...http.proxyHeaders })),
    when: ({ http }) => http.proxyHeaders !== undefined,
  },
  histogram('histogram_client_round_trip_ms', ({ relay }) => relay.counters.clientRoundTripMs),
  histogram('histogram_event_loop_delay_ms', ({ relay }) => relay.counters.eventLoopDelayMs),
  ...CONNECTION_METRICS,
  ...ADMISSION_METRICS,
  ...MESH_METRICS,
  ...REGION_METRICS,
  ...CERTIFICATE_METRICS,
  ...STUN_REQUEST_METRICS,
  ...READINESS_METRICS,
  ...WORKER_METRICS,
  ...LOG_METRICS,
])

const DAEMON: readonly Metric[] = [
  { kind: 'list', name: 'cmdline', without: 'varz', read: ({ commandLine }) => commandLine },
  count('counter_bootstrap_dns_published_hits', ({ http }) => http.bootstrapDns.publishedHits),
  count('counter_bootstrap_dns_published_misses', ({ http }) => http.bootstrapDns.publishedMisses),
  count('counter_bootstrap_dns_queried_domains', ({ http }) => http.bootstrapDns.queriedDomains),
  count('counter_bootstrap_dns_requests', ({ http }) => http.bootstrapDns.requests),
  count('counter_bootstrap_dns_unpublished_hits', ({ http }) => http.bootstrapDns.unpublishedHits),
  count('counter_bootstrap_dns_unpublished_misses', ({ http }) => http.bootstrapDns.unpublishedMisses),
  count('counter_bootstrap_dns_unpublished_percent_misses', ({ http }) => http.bootstrapDns.unpublishedPercentMisses),
  count('counter_uptime_sec', ({ process }) => Math.floor(process.uptimeSeconds)),
  drops('derp_bytes_dropped', 'Payload bytes of the dropped packets', amount => amount.bytes),
  drops('derp_packets_dropped', 'Packets dropped, by reason and kind', amount => amount.packets),
  count('derp_websocket_accepts', ({ http }) => http.websocketAccepts),
  labelled('derper_tls_request_version', 'version', ({ http }) => http.tlsRequests),
  labelled('gauge_derper_tls_active_version', 'version', ({ http }) => http.tlsActive),
  number('process_start_unix_time', ({ process }) => Math.floor(process.startUnixSeconds)),
  { kind: 'text', name: 'version', read: ({ version }) => version },
]

const STUN = group('stun', [
  labelled('counter_addrfamily', 'family', ({ stun }) => ({ ipv4: stun.ipv4, ipv6: stun.ipv6 })),
  labelled('counter_requests', 'disposition', ({ stun }) => ({
    not_stun: stun.notStun,
    read_error: stun.readError,
    success: stun.success,
    write_error: stun.writeError,
  })),
])

const TLS_LISTENER = group(
  'tls_listener',
  [
    count('counter_accepted_connections', ({ http }) => http.tlsAccepted),
    count('counter_rejected_connections', ({ http }) => http.tlsRejected),
  ],
  ({ tls }) => tls,
)

const PROCESS: readonly Metric[] = [
  ofProcess('process_cpu_seconds_total', 'counter', 'CPU time used', ({ process }) => process.cpuSeconds),
  ofProcess(
    'process_max_fds',
    'gauge',
    'Maximum number of open file descriptors',
    ({ process }) => process.maxOpenFiles,
  ),
  ofProcess('process_open_fds', 'gauge', 'Number of open file descriptors', ({ process }) => process.openFiles),
  ofProcess('process_resident_memory_bytes', 'gauge', 'Resident memory size', ({ process }) => process.residentBytes),
  ofProcess('process_start_time_seconds', 'gauge', 'Start, since 1970', ({ process }) => process.startUnixSeconds),
  ofProcess('process_virtual_memory_bytes', 'gauge', 'Virtual memory size', ({ process }) => process.virtualBytes),
  ofProcess(
    'process_virtual_memory_max_bytes',
    'gauge',
    'Maximum amount of virtual memory available',
    ({ process }) => process.maxVirtualBytes,
  ),
]

/** All metrics, in no particular order. */
export const METRIC_TABLE: readonly Metric[] = [DERP, OWN, ...DAEMON, STUN, TLS_LISTENER, ...PROCESS]

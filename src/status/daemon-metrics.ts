/** Metrics of the daemon around its relay; each group is shown only if it applies. */

import { FORWARD_DROP_REASONS, type ForwardDropReason, type MeshLinkSnapshot } from '../metrics/mesh-counters.ts'
import { STUN_REFUSAL_REASONS, type StunRequestCounters } from '../stun/request-counters.ts'
import type { CertificateStatus } from '../tls/certificate-source.ts'
import type { Metric } from './metric.ts'
import { labelled, number } from './metric-rows.ts'
import type { Finding } from './readiness.ts'

/** Shown if the daemon owns the listeners (P-109). */
export const CONNECTION_METRICS: readonly Metric[] = [
  number('gauge_connections', ({ connections }) => connections?.open ?? 0),
  number('counter_connections_accepted', ({ connections }) => connections?.accepted ?? 0),
  labelled('counter_connections_refused', 'reason', ({ connections }) => connections?.refused ?? {}),
].map(metric => ({ ...metric, when: ({ connections }) => connections !== undefined }))

/** Shown if admission is restricted. */
export const ADMISSION_METRICS: readonly Metric[] = [
  number('counter_admission_admitted', ({ admission }) => admission?.admitted ?? 0),
  number('counter_admission_admitted_from_memory', ({ admission }) => admission?.admittedFromMemory ?? 0),
  number('counter_admission_admitted_by_fail_open', ({ admission }) => admission?.admittedByFailOpen ?? 0),
  labelled('counter_admission_approvals', 'rule', ({ admission }) => admission?.approvals ?? {}),
  labelled('counter_admission_denied', 'reason', ({ admission }) => admission?.denied ?? {}),
  labelled('counter_admission_source_failures', 'source', ({ admission }) => admission?.sourceFailures ?? {}),
  number('counter_admission_files_reloaded', ({ admission }) => admission?.filesReloaded ?? 0),
  number('counter_admission_files_rejected', ({ admission }) => admission?.filesRejected ?? 0),
].map(metric => ({ ...metric, when: ({ admission }) => admission !== undefined }))

function perMeshPeer(name: string, read: (link: MeshLinkSnapshot) => number): Metric {
  return labelled(name, 'sibling', ({ mesh = [] }) => Object.fromEntries(mesh.map(link => [link.host, read(link)])))
}

/** Dropped packets for mesh peers by reason, summed over all links. */
function forwardDrops(mesh: readonly MeshLinkSnapshot[]): Record<string, number> {
  const sumOf = (reason: ForwardDropReason) =>
    mesh.reduce((sum, { counters }) => sum + counters.dropped[reason].packets, 0)
  return Object.fromEntries(FORWARD_DROP_REASONS.map(reason => [reason, sumOf(reason)]))
}

/** Shown if there are mesh peers. */
export const MESH_METRICS: readonly Metric[] = [
  number('gauge_mesh_links', ({ mesh = [] }) => mesh.filter(({ state }) => state !== 'self').length),
  number('gauge_mesh_links_up', ({ mesh = [] }) => mesh.filter(({ state }) => state === 'up').length),
  perMeshPeer('gauge_mesh_link_peers', ({ peers }) => peers),
  perMeshPeer('counter_mesh_link_connects', ({ counters }) => counters.connects),
  perMeshPeer('counter_mesh_link_overflows', ({ counters }) => counters.overflows),
  perMeshPeer('counter_mesh_packets_forwarded', ({ counters }) => counters.forwarded.packets),
  perMeshPeer('counter_mesh_bytes_forwarded', ({ counters }) => counters.forwarded.bytes),
  labelled('counter_mesh_packets_dropped', 'reason', ({ mesh = [] }) => forwardDrops(mesh)),
].map(metric => ({ ...metric, when: ({ mesh }) => mesh !== undefined }))

function perCertificate(name: string, read: (status: CertificateStatus) => number | undefined): Metric {
  return labelled(name, 'subject', ({ certificates = [] }) =>
    Object.fromEntries(
      certificates.flatMap(status => {
        const value = read(status)
        return value === undefined ? [] : [[status.subject, value]]
      }),
    ),
  )
}

/** Shown with TLS. */
export const CERTIFICATE_METRICS: readonly Metric[] = [
  // Unix time; absent while there is no certificate.
  perCertificate('gauge_cert_not_after_seconds', ({ notAfterMs }) => notAfterMs && Math.floor(notAfterMs / 1_000)),
  // Unix time; absent while there is no error.
  perCertificate('gauge_cert_last_error_seconds', ({ lastErrorMs }) => lastErrorMs && Math.floor(lastErrorMs / 1_000)),
  perCertificate('counter_cert_failures', ({ failures }) => failures),
  perCertificate('counter_cert_replacements', ({ replacements }) => replacements),
].map(metric => ({ ...metric, when: ({ certificates }) => certificates !== undefined }))

function refusals(family: 'ipv4' | 'ipv6', stun: StunRequestCounters | undefined): Record<string, number> {
  return Object.fromEntries(STUN_REFUSAL_REASONS.map(reason => [snakeCase(reason), stun?.refused[reason][family] ?? 0]))
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}

/** Shown with STUN (P-185). */
export const STUN_REQUEST_METRICS: readonly Metric[] = [
  labelled('counter_stun_node_requests', 'family', ({ stunRequests }) => ({ ...stunRequests?.fromNodes })),
  labelled('counter_stun_plain_requests', 'family', ({ stunRequests }) => ({ ...stunRequests?.plain })),
  labelled('counter_stun_refused_ipv4', 'reason', ({ stunRequests }) => refusals('ipv4', stunRequests)),
  labelled('counter_stun_refused_ipv6', 'reason', ({ stunRequests }) => refusals('ipv6', stunRequests)),
].map(metric => ({ ...metric, when: ({ stunRequests }) => stunRequests !== undefined }))

/** Shown with several workers. */
export const WORKER_METRICS: readonly Metric[] = [
  number('gauge_workers', ({ workers }) => workers?.running ?? 0),
  number('counter_worker_crashes', ({ workers }) => workers?.crashes ?? 0),
].map(metric => ({ ...metric, when: ({ workers }) => workers !== undefined }))

/** Shown if the daemon owns the log. */
export const LOG_METRICS: readonly Metric[] = [number('counter_log_lines_dropped', ({ log }) => log?.dropped ?? 0)].map(
  metric => ({ ...metric, when: ({ log }) => log !== undefined }),
)

/** Names of findings, each with value 1; others are absent. */
function namesOf(findings: readonly Finding[] | undefined): Record<string, number> {
  return Object.fromEntries((findings ?? []).map(({ name }) => [name, 1]))
}

/** Readiness and its problems (P-171). */
export const READINESS_METRICS: readonly Metric[] = [
  number('gauge_ready', ({ readiness }) => (readiness?.ready === true ? 1 : 0)),
  labelled('gauge_not_ready', 'check', ({ readiness }) => namesOf(readiness?.problems)),
  labelled('gauge_degraded', 'check', ({ readiness }) => namesOf(readiness?.degraded)),
].map(metric => ({ ...metric, when: ({ readiness }) => readiness !== undefined }))

/** Tables of texts on the status page: links to mesh peers, relays of the region, certificates. Pure. */

import type { MetricSnapshot } from '../../status/snapshot.ts'
import type { StatusList } from './status-report.ts'

const DAY_MS = 86_400_000

/** The tables that have rows. @param nowMs milliseconds since 1970. */
export function statusLists({ mesh, region, certificates }: MetricSnapshot, nowMs: number): StatusList[] {
  return [
    {
      id: 'mesh',
      title: 'Links to mesh peers',
      columns: ['mesh peer', 'state', 'clients', 'packets sent', 'packets dropped'],
      rows: (mesh ?? []).map(({ host, state, peers, counters }) => {
        const dropped = Object.values(counters.dropped).reduce((sum, { packets }) => sum + packets, 0)
        return [host, state, String(peers), String(counters.forwarded.packets), String(dropped)]
      }),
    },
    {
      id: 'region-relays',
      title: 'Other relays of the region',
      columns: ['relay', 'at', 'link', 'last heard', 'clock ahead'],
      rows: (region?.members ?? []).map(({ id, url, isLinkUp, silentMs, aheadMs }) => [
        id,
        url,
        isLinkUp ? 'up' : 'not in use',
        `${(silentMs / 1_000).toFixed(1)} s ago`,
        `${aheadMs} ms`,
      ]),
    },
    {
      id: 'certificates',
      title: 'Certificates',
      columns: ['for', 'days left', 'last error'],
      rows: (certificates ?? []).map(({ subject, notAfterMs, lastError }) => {
        const days = notAfterMs === undefined ? 'none yet' : String(daysLeft(notAfterMs, nowMs))
        return [subject, days, lastError ?? '']
      }),
    },
  ].filter(({ rows }) => rows.length > 0)
}

/** Whole days; negative for a certificate that has expired. */
export function daysLeft(notAfterMs: number, nowMs: number): number {
  return Math.floor((notAfterMs - nowMs) / DAY_MS)
}

/** The table of clients: its columns, and the cells of a row. Pure, for server and browser. */

import { formatAge, formatBytes, formatShort, shortKey } from './format.ts'
import type { ClientColumn, ClientRow } from './status-report.ts'

/** Titles in the order of the columns. */
export const CLIENT_TITLES: Readonly<Record<ClientColumn, string>> = {
  key: 'Key',
  address: 'Address',
  age: 'Connected',
  received: 'Received',
  sent: 'Sent',
  rate: 'Rate',
  queued: 'Queue',
  rtt: 'RTT',
  app: 'Application',
}

/** The texts of a row, in the order of the columns. */
export function clientCells(row: ClientRow): string[] {
  return [
    shortKey(row.key),
    row.address,
    formatAge(row.ageSeconds),
    formatBytes(row.received),
    formatBytes(row.sent),
    `${formatBytes(row.rate)}/s`,
    String(row.queued),
    row.rtt === null ? '–' : `${formatShort(row.rtt)} ms`,
    [row.app, row.flags].filter(text => text !== '').join(' · '),
  ]
}

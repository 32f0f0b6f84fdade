/** The clients of a relay as a table. Pure. */

import { NodePublicKey } from '../../../keys/node-key.ts'
import { formatDuration } from '../../../lib/duration.ts'
import { formatBytes } from '../../amounts.ts'
import { count, textTable } from '../../text-table.ts'
import type { ClientsPage, ShownClient } from './clients-page.ts'

const NANOSECONDS_PER_SECOND = 1e9

interface Column {
  readonly title: string
  readonly cell: (client: ShownClient) => string
  /** Shown only if a client has it. */
  readonly isOptional?: boolean
}

const COLUMNS: readonly Column[] = [
  { title: 'key', cell: ({ key }) => shortKey(key) },
  { title: 'address', cell: ({ remote }) => remote },
  {
    title: 'connected',
    cell: ({ connected }) => formatDuration(Math.round(connected / NANOSECONDS_PER_SECOND) * 1_000),
  },
  { title: 'flags', cell: ({ flags }) => flags.join(' '), isOptional: true },
  { title: 'app', cell: ({ appName }) => appName, isOptional: true },
  { title: 'sent to relay', cell: ({ rxPkts, rxBytes }) => packets(rxPkts, rxBytes) },
  { title: 'received', cell: ({ txPkts, txBytes }) => packets(txPkts, txBytes) },
  { title: 'waiting', cell: ({ pendingBytes }) => (pendingBytes ? formatBytes(pendingBytes) : ''), isOptional: true },
  {
    title: 'round trip',
    cell: ({ roundTripMs }) => (roundTripMs === undefined ? '' : `${roundTripMs.toFixed(1)} ms`),
    isOptional: true,
  },
]

export function clientsText({ query, conns, keys, remaining, clients }: ClientsPage): string {
  const head = `${query}: ${count(conns, 'connection')} of ${count(keys, 'key')}\n`
  if (clients.length === 0) return head
  const columns = COLUMNS.filter(({ cell, isOptional }) => !isOptional || clients.some(client => cell(client) !== ''))
  const rows = [columns.map(({ title }) => title), ...clients.map(client => columns.map(({ cell }) => cell(client)))]
  const more = remaining > 0 ? `… and ${remaining} more; see --limit\n` : ''
  return `${head}\n${textTable(rows).join('\n')}\n${more}`
}

/** As in logs; the whole key is in the JSON. */
function shortKey(text: string): string {
  try {
    return NodePublicKey.parse(text).shortString()
  } catch {
    return text
  }
}

const packets = (number: number, bytes: number) => `${count(number, 'packet')}, ${formatBytes(bytes)}`

/** `/debug/clients`: connected clients, paginated, as HTML or JSON. */

import type { ClientDetails, ClientPage } from '../../status/relay-view.ts'
import { htmlPage, htmlTable } from './html.ts'

/** Clients on one page. */
export const CLIENTS_PER_PAGE = 100

/** The number in `?page=`, from 1; undefined if invalid. */
export function pageNumber(query: URLSearchParams): number | undefined {
  const text = query.get('page') ?? '1'
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}

/** The page as JSON. */
export function clientsJson(page: number, { total, clients }: ClientPage): string {
  return `${JSON.stringify({ page, pages: pageCount(total), total, clients })}\n`
}

/** The page as HTML. */
export function clientsHtml(page: number, { total, clients }: ClientPage): string {
  const pages = pageCount(total)
  const links = [
    ...(page > 1 ? [link(Math.min(page - 1, pages), 'previous')] : []),
    ...(page < pages ? [link(page + 1, 'next')] : []),
    `<a href="/debug/clients?page=${page}&amp;format=json">JSON</a>`,
  ]
  const columns = ['key', 'address', 'connected since', 'received', 'sent', 'queued', 'pending', 'flags', 'application']
  return htmlPage(
    'clients',
    `<p>${total} connected, page ${page} of ${pages}: ${links.join(' · ')}</p>
${htmlTable(columns, clients.map(cellsOf))}`,
  )
}

function cellsOf(client: ClientDetails): string[] {
  return [
    client.key,
    client.address,
    client.connectedSince,
    String(client.bytesReceived),
    String(client.bytesSent),
    String(client.queuedPackets),
    String(client.pendingBytes),
    client.flags.join(' '),
    client.appName,
  ]
}

function pageCount(total: number): number {
  return Math.max(1, Math.ceil(total / CLIENTS_PER_PAGE))
}

function link(page: number, text: string): string {
  return `<a href="/debug/clients?page=${page}">${text}</a>`
}

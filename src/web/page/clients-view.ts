/**
 * The table of clients, sorted and filtered by the relay; the page holds only the visible rows.
 *
 * All rows have the same height, so that the scrollbar is right for rows that are not loaded.
 */

import { CLIENT_TITLES, clientCells } from '../status/client-cells.ts'
import { CLIENT_COLUMNS, type ClientColumn, type ClientRow, type ClientRows } from '../status/status-report.ts'
import { make, setText } from './dom.ts'

/** Pixels, as in the style sheet. */
const ROW_HEIGHT = 28
/** Rows loaded above and below the visible ones, so that scrolling shows no gap. */
const MARGIN_ROWS = 10
/** Maximum rows per request. */
const MAX_ROWS = 200
/** Milliseconds between two requests while nothing is scrolled or typed. */
const REFRESH_MS = 2_000
/** Columns whose first order is descending. */
const DESCENDING_FIRST: ReadonlySet<ClientColumn> = new Set(['received', 'sent', 'rate', 'queued', 'rtt'])

/** A row in the page, and what it shows. */
interface ShownRow {
  readonly line: HTMLTableRowElement
  readonly cells: readonly HTMLTableCellElement[]
  readonly texts: string[]
  at: number
  key: string
}

export class ClientsView {
  #sort: ClientColumn = 'rate'
  #descending = true
  #askedAtMs = 0
  #isAsking = false
  #isStale = false
  readonly #heads = new Map<ClientColumn, HTMLTableCellElement>()
  readonly #filter = make('input', { type: 'search', id: 'filter', placeholder: 'key, address or application' })
  readonly #count = make('p', { id: 'client-count' })
  readonly #above = make('tr', { className: 'space' }, make('td', { colSpan: CLIENT_COLUMNS.length }))
  readonly #below = make('tr', { className: 'space' }, make('td', { colSpan: CLIENT_COLUMNS.length }))
  readonly #body = make('tbody', {}, this.#above, this.#below)
  readonly #rows: ShownRow[] = []
  readonly #table: HTMLTableElement
  readonly #box: HTMLElement

  constructor(home: HTMLElement) {
    const caption = make('caption', { className: 'hidden' }, 'Connected clients')
    const head = make('tr', {}, ...CLIENT_COLUMNS.map(column => this.#makeHead(column)))
    this.#table = make('table', {}, caption, make('thead', {}, head), this.#body)
    this.#box = make('div', { className: 'rows live', tabIndex: 0 }, this.#table)
    this.#box.setAttribute('role', 'region')
    this.#box.setAttribute('aria-label', 'Connected clients, scrollable')
    for (const part of home.querySelectorAll(':scope > :not(h2)')) part.remove()
    const label = make('label', { htmlFor: 'filter' }, 'Filter ')
    home.append(make('p', { className: 'tools' }, label, this.#filter), this.#count, this.#box)
    this.#filter.addEventListener('input', () => this.#askAgain(0))
    this.#box.addEventListener('scroll', () => void this.#ask(), { passive: true })
    this.#showOrder()
    void this.#ask()
  }

  /** Called with every report; requests rows now and then, and never for a hidden page. */
  async refresh(): Promise<void> {
    if (!document.hidden && performance.now() - this.#askedAtMs >= REFRESH_MS) await this.#ask()
  }

  #makeHead(column: ClientColumn): HTMLTableCellElement {
    const button = make('button', { type: 'button' }, CLIENT_TITLES[column])
    button.addEventListener('click', () => {
      this.#descending = this.#sort === column ? !this.#descending : DESCENDING_FIRST.has(column)
      this.#sort = column
      this.#showOrder()
      this.#askAgain(0)
    })
    const head = make('th', { scope: 'col' }, button)
    this.#heads.set(column, head)
    return head
  }

  #showOrder(): void {
    for (const [column, head] of this.#heads) {
      if (column === this.#sort) head.ariaSort = this.#descending ? 'descending' : 'ascending'
      else head.ariaSort = null
    }
  }

  #askAgain(scrollTop: number): void {
    this.#box.scrollTop = scrollTop
    void this.#ask()
  }

  /** One request at a time; changes meanwhile lead to another one after it. */
  async #ask(): Promise<void> {
    if (this.#isAsking) {
      this.#isStale = true
      return
    }
    this.#isAsking = true
    try {
      do {
        this.#isStale = false
        this.#askedAtMs = performance.now()
        await this.#fetchRows()
      } while (this.#isStale)
    } finally {
      this.#isAsking = false
    }
  }

  async #fetchRows(): Promise<void> {
    const offset = Math.max(0, Math.floor(this.#box.scrollTop / ROW_HEIGHT) - MARGIN_ROWS)
    const inSight = Math.ceil(this.#box.clientHeight / ROW_HEIGHT)
    const query = new URLSearchParams(location.search)
    query.set('sort', this.#sort)
    query.set('order', this.#descending ? 'descending' : 'ascending')
    query.set('filter', this.#filter.value)
    query.set('offset', String(offset))
    query.set('limit', String(Math.min(MAX_ROWS, inSight + 2 * MARGIN_ROWS)))
    const response = await fetch(`/debug/status/clients?${query}`).catch(() => undefined)
    if (response?.ok) this.#show((await response.json()) as ClientRows)
  }

  #show({ total, matching, offset, rows }: ClientRows): void {
    setText(this.#count, matching === total ? `${total} connected` : `${matching} of ${total} connected`)
    const count = String(matching + 1)
    if (this.#table.getAttribute('aria-rowcount') !== count) this.#table.setAttribute('aria-rowcount', count)
    setHeight(this.#above, offset)
    setHeight(this.#below, matching - offset - rows.length)
    while (this.#rows.length < rows.length) this.#rows.push(this.#addRow())
    while (this.#rows.length > rows.length) this.#rows.pop()?.line.remove()
    for (const [at, row] of rows.entries()) showRow(this.#rows[at], row, offset + at)
  }

  #addRow(): ShownRow {
    const cells = CLIENT_COLUMNS.map(() => make('td'))
    const line = make('tr', {}, ...cells)
    this.#body.insertBefore(line, this.#below)
    return { line, cells, texts: [], at: -1, key: '' }
  }
}

/** Changes only what differs: each change causes layout and paint. */
function showRow(shown: ShownRow | undefined, row: ClientRow, at: number): void {
  if (shown === undefined) return
  const { line, cells, texts } = shown
  for (const [column, text] of clientCells(row).entries()) {
    const cell = cells[column]
    if (cell !== undefined && texts[column] !== text) setText(cell, text)
    texts[column] = text
  }
  // The line of titles is the first.
  if (shown.at !== at) line.ariaRowIndex = String(at + 2)
  if (shown.key !== row.key && cells[0] !== undefined) cells[0].title = row.key
  shown.at = at
  shown.key = row.key
}

function setHeight(space: HTMLTableRowElement, rows: number): void {
  const height = `${Math.max(0, rows) * ROW_HEIGHT}px`
  if (space.style.height === height) return
  space.hidden = rows <= 0
  space.style.height = height
}

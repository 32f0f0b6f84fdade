/** The tables of numbers and texts: cells are updated in place; a table is rebuilt only when its rows differ. */

import { formatValue } from '../status/format.ts'
import type { StatusGroup, StatusList, StatusReport } from '../status/status-report.ts'
import { byId, make, setText } from './dom.ts'

export function showNumbers({ groups, lists }: StatusReport): void {
  const home = byId('groups')
  const tables = [...groups.map(showGroup), ...lists.map(showList)]
  for (const [at, table] of tables.entries()) {
    if (home.children[at] !== table) home.insertBefore(table, home.children[at] ?? null)
  }
  while (home.children.length > tables.length) home.lastElementChild?.remove()
}

function showGroup(group: StatusGroup): HTMLElement {
  const table = document.getElementById(`group-${group.id}`)
  if (table === null || rowNames(table) !== group.rows.map(({ label }) => label).join('\n')) return makeGroup(group)
  const cells = table.querySelectorAll('td')
  for (const [at, { value, unit }] of group.rows.entries()) {
    const cell = cells[at]
    if (cell !== undefined) setText(cell, formatValue(value, unit))
  }
  return table
}

function rowNames(table: HTMLElement): string {
  return Array.from(table.querySelectorAll('th'), ({ textContent }) => textContent).join('\n')
}

function makeGroup({ id, title, rows }: StatusGroup): HTMLElement {
  document.getElementById(`group-${id}`)?.remove()
  const lines = rows.map(({ metric, label, value, unit }) => {
    const cell = make('td', {}, formatValue(value, unit))
    if (metric !== undefined) cell.dataset['metric'] = metric
    return make('tr', {}, make('th', { scope: 'row' }, label), cell)
  })
  return make('table', { id: `group-${id}` }, make('caption', {}, title), make('tbody', {}, ...lines))
}

function showList({ id, title, columns, rows }: StatusList): HTMLElement {
  const table = document.getElementById(`list-${id}`)
  const cells = rows.flat()
  const known = table?.querySelectorAll('td')
  if (table !== null && known?.length === cells.length) {
    for (const [at, cell] of known.entries()) setText(cell, cells[at] ?? '')
    return table
  }
  table?.remove()
  const head = columns.map(column => make('th', { scope: 'col' }, column))
  const body = rows.map(row => make('tr', {}, ...row.map(cell => make('td', {}, cell))))
  return make(
    'table',
    { id: `list-${id}` },
    make('caption', {}, title),
    make('thead', {}, make('tr', {}, ...head)),
    make('tbody', {}, ...body),
  )
}

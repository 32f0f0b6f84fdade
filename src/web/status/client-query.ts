/** The parameters of a request for clients. Pure. */

import type { ClientQuery } from './client-table.ts'
import { CLIENT_COLUMNS } from './status-report.ts'

/** Most rows of one answer. */
export const MAX_ROWS = 200
const MAX_FILTER_LENGTH = 100

/** Undefined for parameters that make no sense. */
export function readClientQuery(query: URLSearchParams): ClientQuery | undefined {
  const sort = CLIENT_COLUMNS.find(column => column === (query.get('sort') ?? 'rate'))
  const order = query.get('order') ?? 'descending'
  const [offset, limit] = [wholeNumber(query.get('offset') ?? '0'), wholeNumber(query.get('limit') ?? '100')]
  const filter = query.get('filter') ?? ''
  if (sort === undefined || offset === undefined || limit === undefined || limit > MAX_ROWS) return undefined
  if ((order !== 'descending' && order !== 'ascending') || filter.length > MAX_FILTER_LENGTH) return undefined
  return { sort, descending: order === 'descending', filter, offset, limit }
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,8}$/.test(text) ? Number(text) : undefined
}

/**
 * The path of a request for the route lookup, and redirects to the canonical form (P-168).
 */

export interface RequestPath {
  /** Without query, decoded except for escaped slashes. */
  readonly path: string
  /** Location of the canonical path, with query; undefined if already canonical. */
  readonly redirect: string | undefined
}

/** Paths that exist only with a trailing slash. */
const TREES: ReadonlySet<string> = new Set(['/debug'])

const MALFORMED_ESCAPE = /%(?![0-9a-fA-F]{2})/
/** Paths that need no re-escaping. */
const WRITABLE_PATH = /^[\w.~!$&'()*+,;=:@[\]%/-]*$/
/** Characters escaped in output, `%` included. */
const ESCAPED = /[^\w.~$&+,;=:@/-]/g

/** Undefined if `target` has no valid path. */
export function readRequestPath(target: string): RequestPath | undefined {
  const queryAt = target.indexOf('?')
  const query = queryAt === -1 ? '' : target.slice(queryAt)
  const raw = pathOf(queryAt === -1 ? target : target.slice(0, queryAt))
  if (raw === undefined || MALFORMED_ESCAPE.test(raw)) return undefined
  const written = WRITABLE_PATH.test(raw) ? raw : escapePath(decodeEscapes(raw))
  const clean = cleanPath(written)
  const path = clean.split('/').map(decodeSegment).join('/')
  const redirect = (location: string) => ({ path, redirect: location + (query === '?' ? '' : query) })
  if (TREES.has(path)) return redirect(`${path}/`)
  return clean === written ? { path, redirect: undefined } : redirect(escapePath(clean))
}

/** The path of a target in origin or absolute form. */
function pathOf(target: string): string | undefined {
  if (target.startsWith('/')) return target
  return /^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*)?(.*)$/i.exec(target)?.[1]
}

/** Resolves `.` and `..`, removes empty segments, adds a leading slash. */
function cleanPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const clean = `/${segments.join('/')}`
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean
}

function decodeSegment(segment: string): string {
  const decoded = decodeEscapes(segment)
  return decoded.includes('/') ? segment : decoded
}

/** One character per byte: routes have ASCII names, so UTF-8 need not be decoded. */
function decodeEscapes(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function escapePath(path: string): string {
  return path.replaceAll(ESCAPED, char => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/**
 * The path of a request as routes are looked up by it, and the redirect for paths that are not in their shortest
 * form (P-168).
 */

export interface RequestPath {
  /** Without query; escapes are decoded, but for those of a slash. */
  readonly path: string
  /** Where the request is to be sent instead, with its query; undefined for a tidy path. */
  readonly redirect: string | undefined
}

/** Paths that exist only with a slash behind them. */
const TREES: ReadonlySet<string> = new Set(['/debug'])

const MALFORMED_ESCAPE = /%(?![0-9a-fA-F]{2})/
/** Characters that a path may be written with. */
const WRITABLE_PATH = /^[\w.~!$&'()*+,;=:@[\]%/-]*$/
/** Characters that are escaped when a path is written; `%` among them, even where it begins an escape. */
const ESCAPED = /[^\w.~$&+,;=:@/-]/g

/** Reads the target of a request; undefined for one that is no path. */
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

/** The path within a target, which is a path or a whole URL. */
function pathOf(target: string): string | undefined {
  if (target.startsWith('/')) return target
  return /^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*)?(.*)$/i.exec(target)?.[1]
}

/** Without `.` and `..`, empty segments, and with a slash in front. */
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

/** One character for each byte: routes have ASCII names, so what the bytes spell does not matter. */
function decodeEscapes(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function escapePath(path: string): string {
  return path.replaceAll(ESCAPED, char => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/**
 * Compares docs/understand/protocol/ and docs/understand/region.md with the code: frames, routes and citations. Pure;
 * check-clauses.ts reads the files.
 */

/** A clause of a page. */
export interface Clause {
  readonly id: string
  readonly title: string
  readonly built: boolean
  readonly frames: readonly string[]
  readonly routes: readonly string[]
}

/** What the clauses are compared with. */
export interface Evidence {
  /** Frame types of the code as `0x04 SendPacket`. */
  readonly frames: readonly string[]
  /** Served paths. */
  readonly routes: readonly string[]
  /** Texts of the sources, by path. */
  readonly sources: ReadonlyMap<string, string>
  /** Texts of the tests, by path. */
  readonly tests: ReadonlyMap<string, string>
}

const HEADING = /^### (P-\d{3}) (.+) · (built|planned)$/
const ANY_HEADING = /^### /
/** A row of the index: the page, a question, its clauses. */
const INDEX_ROW = /^\| \[[^\]]+\]\(([\w-]+\.md)\) \|[^|]*\| ([^|]+?) \|$/gm
// P-256, P-384 and P-521 are elliptic curves, not clauses.
const CITATION = /\bP-(?!256\b|384\b|521\b)\d{3}\b/g

/** Parses the clauses of a page. @throws Error for a malformed heading. */
export function parseClauses(document: string): Clause[] {
  const clauses: (Clause & { frames: string[]; routes: string[] })[] = []
  for (const line of document.split('\n')) {
    const heading = HEADING.exec(line)
    if (heading !== null) {
      const [, id = '', title = '', status] = heading
      clauses.push({ id, title, built: status === 'built', frames: [], routes: [] })
    } else if (ANY_HEADING.test(line)) {
      throw new Error(`read clause heading "${line}": not "### P-nnn Title · built|planned"`)
    }
    clauses.at(-1)?.frames.push(...listAfter('Frames: ', line))
    clauses.at(-1)?.routes.push(...listAfter('Route: ', line))
  }
  return clauses
}

function listAfter(label: string, line: string): string[] {
  return line.startsWith(label) ? line.slice(label.length).split(', ') : []
}

/** Where pages and their index disagree about which clause is on which page. */
export function indexProblems(index: string, pages: ReadonlyMap<string, readonly Clause[]>): string[] {
  const problems: string[] = []
  const rows = new Map(Array.from(index.matchAll(INDEX_ROW), ([, page = '', ids = '']) => [page, rangesOf(ids)]))
  for (const page of rows.keys()) if (!pages.has(page)) problems.push(`the index names ${page}, which has no clauses`)
  for (const [page, clauses] of pages) {
    const ranges = rows.get(page) ?? []
    const ids = clauses.map(({ id }) => id)
    for (const id of ids) {
      if (!ranges.some(([first, last]) => first <= id && id <= last))
        problems.push(`${id} is in ${page}, but not in its row of the index`)
    }
    for (const id of new Set(ranges.flat()))
      if (!ids.includes(id)) problems.push(`the index says that ${page} has ${id}`)
  }
  return problems
}

/** The ranges of `P-001 to P-007, P-009`. */
function rangesOf(ids: string): [string, string][] {
  return ids.split(', ').map(range => {
    const [first = '', last = first] = range.split(' to ')
    return [first, last]
  })
}

/** The source without comment lines. */
export function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(?:\/\/|\/\*|\*).*$/gm, '')
}

/** Files that cite each clause. */
export function citations(texts: ReadonlyMap<string, string>): Map<string, string[]> {
  const files = new Map<string, string[]>()
  for (const [path, text] of texts) {
    for (const id of new Set(text.match(CITATION))) files.set(id, [...(files.get(id) ?? []), path])
  }
  return files
}

/** All inconsistencies. */
export function findProblems(clauses: readonly Clause[], evidence: Evidence): string[] {
  const problems: string[] = []
  const known = new Set(clauses.map(clause => clause.id))
  if (known.size !== clauses.length) problems.push('a clause id is used twice')
  const bySource = citations(evidence.sources)
  const byTest = citations(evidence.tests)
  for (const [id, files] of [...bySource, ...byTest]) {
    if (!known.has(id)) problems.push(`${id} is cited by ${files.join(', ')}, but is not a clause`)
  }
  for (const clause of clauses) {
    if (clause.built && !byTest.has(clause.id))
      problems.push(`${clause.id} ${clause.title}: built, but no test cites it`)
  }
  problems.push(...compare('frame', evidence.frames, clauses, clause => clause.frames))
  problems.push(...compare('route', evidence.routes, clauses, clause => clause.routes))
  return problems
}

/** Ids of differences that are used twice, cited without a row, or name a clause that does not exist. */
export function differenceProblems(
  page: string,
  clauses: readonly Clause[],
  tests: ReadonlyMap<string, string>,
): string[] {
  const ids = Array.from(page.matchAll(/^\| (D-\d+) \|/gm), ([, id = '']) => id)
  const known = new Set(clauses.map(({ id }) => id))
  const problems = ids.filter((id, at) => ids.indexOf(id) !== at).map(id => `${id} is the id of two differences`)
  for (const id of new Set(page.match(CITATION)))
    if (!known.has(id)) problems.push(`${id} is cited by the differences, but is not a clause`)
  for (const [path, text] of tests) {
    const unknown = new Set(text.match(/\bD-\d{2,}\b/g)?.filter(id => !ids.includes(id)))
    for (const id of unknown) problems.push(`${id} is cited by ${path}, but is not a difference`)
  }
  return problems
}

/** Everything in the code must be in exactly one clause; planned clauses may name more. */
function compare(
  what: string,
  actual: readonly string[],
  clauses: readonly Clause[],
  named: (clause: Clause) => readonly string[],
): string[] {
  const problems: string[] = []
  for (const thing of actual) {
    const count = clauses.filter(clause => named(clause).includes(thing)).length
    if (count !== 1) problems.push(`${what} ${thing} is in ${count} clauses, not one`)
  }
  for (const clause of clauses.filter(({ built }) => built)) {
    for (const thing of named(clause)) {
      if (!actual.includes(thing))
        problems.push(`${clause.id} is built and names ${what} ${thing}, which the code lacks`)
    }
  }
  return problems
}

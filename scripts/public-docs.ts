/** Finds the doc comments that editors show to users of the package. Pure; public-docs.test.ts reads the files. */

/** A doc comment of an exported symbol or of one of its members. */
export interface PublicDoc {
  readonly path: string
  readonly symbol: string
  readonly text: string
}

/** Reads a source by its path, such as `src/entries/client.ts`. */
export type ReadSource = (path: string) => string

/** Doc comments of an entry's exports, in export order. */
export function publicDocs(entry: string, read: ReadSource): PublicDoc[] {
  const docs: PublicDoc[] = []
  for (const { names, from } of exportsOf(read(entry))) {
    const path = new URL(from, `file:///${entry}`).pathname.slice(1)
    if (path.startsWith('src/entries/')) docs.push(...publicDocs(path, read))
    else docs.push(...docsOf(path, read(path), names))
  }
  return docs
}

interface Exported {
  /** Undefined for all. */
  readonly names: ReadonlySet<string> | undefined
  readonly from: string
}

function exportsOf(entry: string): Exported[] {
  const found: Exported[] = []
  for (const [, list, from = ''] of entry.matchAll(/^export (?:type )?(?:\*|\{([^}]*)\}) from '([^']+)'/gm)) {
    const names = list
      ?.split(',')
      .map(item =>
        item
          .trim()
          .replace(/^type /, '')
          .replace(/ as .*$/, ''),
      )
      .filter(name => name !== '')
    found.push({ names: names && new Set(names), from })
  }
  return found
}

const DECLARATION =
  /(?:\/\*\*((?:[^*]|\*(?!\/))*)\*\/\n)?^export (?:abstract )?(?:class|interface|function|async function|const|let|type) (\w+)/gm
const MODIFIER = '(?:static|readonly|async|override|get|set) '
/** A comment and the name of the member after it, unless private. */
const MEMBER = new RegExp(
  `/\\*\\*((?:[^*]|\\*(?!/))*)\\*/\\n {2}(?!private )(?:${MODIFIER})*(?!${MODIFIER})(\\*?\\w+|\\[)`,
  'g',
)

function docsOf(path: string, text: string, names: ReadonlySet<string> | undefined): PublicDoc[] {
  const docs: PublicDoc[] = []
  for (const match of text.matchAll(DECLARATION)) {
    const [whole, comment, symbol = ''] = match
    if (names !== undefined && !names.has(symbol)) continue
    if (comment !== undefined) docs.push({ path, symbol, text: comment })
    // The body of a class, interface or object ends with the first unindented brace or bracket.
    const bodyAt = match.index + whole.length
    const end = /^[}\])]/m.exec(text.slice(bodyAt))
    const nextAt = text.slice(bodyAt).search(/^(?:export|function|class|interface|const|type) /m)
    const length = Math.min(end?.index ?? Infinity, nextAt < 0 ? Infinity : nextAt)
    for (const [, memberText = '', member] of text.slice(bodyAt, bodyAt + length).matchAll(MEMBER)) {
      docs.push({ path, symbol: `${symbol}.${member}`, text: memberText })
    }
  }
  return docs
}

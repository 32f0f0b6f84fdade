/** Finds the doc comments that editors show to users of the package. Pure; public-docs.test.ts reads the files. */

/** An exported symbol. */
export interface PublicDeclaration {
  readonly path: string
  /** Its name in the entry. */
  readonly name: string
  /** Of what is exported as a type only: other. */
  readonly kind: 'class' | 'function' | 'other'
  readonly isType: boolean
  /** Its doc comment, if it has one. */
  readonly doc: string | undefined
  /** Those of its members. */
  readonly members: readonly MemberDoc[]
}

/** The doc comment of a member. */
export interface MemberDoc {
  readonly name: string
  readonly text: string
}

/** The package's entries: each is a file in `src/entries`. */
export const ENTRIES = ['derphttp', 'client', 'browser', 'server', 'protocol', 'stun'] as const

/** Reads a source by its path, such as `src/entries/client.ts`. */
export type ReadSource = (path: string) => string

/** An entry's exports, in export order; a value and a type of one name are one. */
export function publicDeclarations(entry: string, read: ReadSource): PublicDeclaration[] {
  const found: PublicDeclaration[] = []
  for (const { names, from } of exportsOf(read(entry))) {
    const path = new URL(from, `file:///${entry}`).pathname.slice(1)
    const declared = path.startsWith('src/entries/') ? publicDeclarations(path, read) : declarationsOf(path, read(path))
    for (const declaration of declared) {
      if (names === undefined) found.push(declaration)
      const exported = names?.get(declaration.name)
      if (exported !== undefined)
        found.push({
          ...declaration,
          name: exported.name,
          ...(exported.isType && { kind: 'other', isType: true }),
        })
    }
  }
  return found
}

/** What an entry exports of a file, by its name there; undefined for all. */
interface Exported {
  readonly names: ReadonlyMap<string, { readonly name: string; readonly isType: boolean }> | undefined
  readonly from: string
}

function exportsOf(entry: string): Exported[] {
  const found: Exported[] = []
  for (const [, type, list, from = ''] of entry.matchAll(/^export (type )?(?:\*|\{([^}]*)\}) from '([^']+)'/gm)) {
    const items = list?.split(',').map(item => item.trim())
    const names = items
      ?.filter(item => item !== '')
      .map(item => {
        const [own = '', name = own] = item.replace(/^type /, '').split(' as ')
        return [own, { name, isType: type !== undefined || item.startsWith('type ') }] as const
      })
    found.push({ names: names && new Map(names), from })
  }
  return found
}

const DECLARATION =
  /(?:\/\*\*((?:[^*]|\*(?!\/))*)\*\/\n)?^export (?:abstract )?(class|interface|function|async function|const|let|type) (\w+)/gm
const MODIFIER = '(?:static|readonly|async|override|get|set) '
/** A comment and the name of the member after it, unless private. */
const MEMBER = new RegExp(
  `/\\*\\*((?:[^*]|\\*(?!/))*)\\*/\\n {2}(?!private )(?:${MODIFIER})*(?!${MODIFIER})(\\*?\\w+|\\[)`,
  'g',
)

function declarationsOf(path: string, text: string): PublicDeclaration[] {
  const found = new Map<string, PublicDeclaration>()
  for (const match of text.matchAll(DECLARATION)) {
    const [whole, doc, keyword = '', name = ''] = match
    const before = found.get(name)
    const kind = keyword === 'class' ? 'class' : keyword.endsWith('function') ? 'function' : (before?.kind ?? 'other')
    const members = membersOf(text.slice(match.index + whole.length))
    const isType = (keyword === 'interface' || keyword === 'type') && before?.isType !== false
    const both = [...(before?.members ?? []), ...members]
    found.set(name, { path, name, kind, isType, doc: before?.doc ?? doc, members: both })
  }
  return [...found.values()]
}

/** Of the declaration whose body begins `text`: it ends with the first unindented brace or bracket. */
function membersOf(text: string): MemberDoc[] {
  const end = /^[}\])]/m.exec(text)
  const nextAt = text.search(/^(?:export|function|class|interface|const|type) /m)
  const body = text.slice(0, Math.min(end?.index ?? Infinity, nextAt < 0 ? Infinity : nextAt))
  return Array.from(body.matchAll(MEMBER), ([, doc = '', name = '']) => ({ name, text: doc }))
}

/** Exports without a doc comment, and classes and functions without an example. */
export function undocumented(declarations: readonly PublicDeclaration[]): string[] {
  return declarations.flatMap(({ path, name, kind, doc, members }) => {
    if (doc === undefined) return [`${path}: ${name} has no doc comment`]
    const hasExample = [doc, ...members.map(({ text }) => text)].some(each => each.includes('```ts'))
    return kind === 'other' || hasExample ? [] : [`${path}: the ${kind} ${name} has no example`]
  })
}

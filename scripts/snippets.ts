/** TypeScript of pages and doc comments, as programs of their own. */

import { globSync } from 'node:fs'
import { ENTRIES, publicDeclarations, type ReadSource } from './public-docs.ts'

/** A block of TypeScript. */
export interface Snippet {
  /** The page, or the source of a doc comment. */
  readonly path: string
  /** Of its first line in a page; of a doc comment, the symbol. */
  readonly place: number | string
  readonly code: string
  readonly language: 'ts' | 'tsx'
  /** Why it cannot be run, by a comment above it: `<!-- not run: REASON -->`. */
  readonly notRun: string | undefined
  /** What it prints before it may be ended, by a comment above it: `<!-- runs until: TEXT -->`. */
  readonly runsUntil: string | undefined
  /** What it has printed when it ends, by a comment above it: `<!-- prints: TEXT -->`. */
  readonly prints: string | undefined
}

const BLOCK =
  /(?:^<!-- (?<how>not run|runs until|prints): (?<said>.+) -->\n)?^```(?<language>ts|tsx|js|jsx)\n(?<code>[\s\S]*?)^```$/gm

/** Pages whose TypeScript is checked and run. */
export function pagesWithSnippets(root: string): string[] {
  return globSync(['*.md', '{docs,examples,deploy}/**/*.md'], { cwd: root, exclude: ['**/node_modules'] }).sort()
}

/** The blocks of a page, in order. */
export function snippetsOf(path: string, text: string): Snippet[] {
  return Array.from(text.matchAll(BLOCK), match => {
    const { how, said, language = 'ts', code = '' } = match.groups ?? {}
    const codeAt = match.index + match[0].length - code.length - '```'.length
    return {
      path,
      place: text.slice(0, codeAt).split('\n').length,
      code,
      language: language.endsWith('x') ? 'tsx' : 'ts',
      notRun: how === 'not run' ? said : undefined,
      runsUntil: how === 'runs until' ? said : undefined,
      prints: how === 'prints' ? said : undefined,
    }
  })
}

/** What examples in doc comments use without declaring it, by name. Keys are of the entry that has the example. */
const PLACEHOLDERS: Readonly<Record<string, (entry: string) => string>> = {
  url: () => 'string',
  bytes: () => 'Uint8Array<ArrayBuffer>',
  signal: () => 'AbortSignal',
  peer: entry => `import('${moduleOf(entry)}').NodePublicKey`,
  privateKey: entry => `import('${moduleOf(entry)}').NodePrivateKey`,
  map: () => "import('derphttp').DERPMap",
}

const moduleOf = (entry: string) => (entry === 'browser' ? 'derphttp/browser' : 'derphttp')
const specifierOf = (entry: string) => (entry === 'derphttp' ? 'derphttp' : `derphttp/${entry}`)

/** The examples in the doc comments of an entry's exports, with the imports that they leave out. */
export function exampleSnippets(entry: string, read: ReadSource): Snippet[] {
  const imports = importsFor(entry, read)
  return publicDeclarations(`src/entries/${entry}.ts`, read).flatMap(({ path, name, doc = '', members }) =>
    [doc, ...members.map(({ text }) => text)].flatMap(each =>
      snippetsOf(path, each.replaceAll(/^ *\* ?/gm, '')).map(snippet => ({
        ...snippet,
        place: `${name} of ${specifierOf(entry)}`,
        code: `${preludeOf(entry, snippet.code, imports)}${snippet.code}`,
      })),
    ),
  )
}

/** How each name is imported: from the entry itself, or else from the first that has it. */
function importsFor(entry: string, read: ReadSource): ReadonlyMap<string, string> {
  const imports = new Map<string, string>()
  for (const each of [entry, ...ENTRIES]) {
    for (const { name, isType } of publicDeclarations(`src/entries/${each}.ts`, read)) {
      const line = `import ${isType ? 'type ' : ''}{ ${name} } from '${specifierOf(each)}'\n`
      if (!imports.has(name)) imports.set(name, line)
    }
  }
  return imports
}

function preludeOf(entry: string, code: string, imports: ReadonlyMap<string, string>): string {
  const words = new Set(code.replaceAll(/\/\/.*|'[^'\n]*'/g, '').match(/(?<![.\w$])[A-Za-z_]\w*/g))
  const isDeclared = (name: string) =>
    new RegExp(`\\b(?:const|let|function|class|interface|type) ${name}\\b|import [^;]*\\b${name}\\b[^;]* from`).test(
      code,
    )
  const missing = [...words].filter(word => !isDeclared(word))
  const placeholders = missing.flatMap(word => {
    const typeOf = Object.hasOwn(PLACEHOLDERS, word) ? PLACEHOLDERS[word] : undefined
    return typeOf === undefined ? [] : [`declare const ${word}: ${typeOf(entry)}\n`]
  })
  return [...missing.map(word => imports.get(word) ?? ''), ...placeholders].join('')
}

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ENTRIES, publicDeclarations, undocumented } from './public-docs.ts'
import { exampleSnippets, pagesWithSnippets, type Snippet, snippetsOf } from './snippets.ts'

const ROOT = join(import.meta.dirname, '..')
const FOLDER = join(ROOT, 'build/snippets/types')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

test('snippetsOf tells where a block begins, and how it is run', () => {
  const text =
    '# A\n\n<!-- not run: no relay -->\n```ts\nlet a\n```\n\n```tsx\nlet b\n```\n<!-- runs until: up -->\n```js\nlet c\n```\n' +
    '<!-- prints: 7 -->\n```ts\nlet d\n```\n'
  const plain = { notRun: undefined, runsUntil: undefined, prints: undefined }
  expect(snippetsOf('a.md', text)).toEqual([
    { path: 'a.md', place: 5, code: 'let a\n', language: 'ts', ...plain, notRun: 'no relay' },
    { path: 'a.md', place: 9, code: 'let b\n', language: 'tsx', ...plain },
    { path: 'a.md', place: 13, code: 'let c\n', language: 'ts', ...plain, runsUntil: 'up' },
    { path: 'a.md', place: 17, code: 'let d\n', language: 'ts', ...plain, prints: '7' },
  ])
})

test('exampleSnippets adds what an example leaves out', () => {
  const files: Record<string, string> = {
    'src/entries/derphttp.ts': "export { Client, NodePublicKey } from '../client.ts'\n",
    'src/client.ts':
      '/**\n * A client.\n *\n * ```ts\n * await new Client(url).send(peer)\n * ```\n */\nexport class Client {}\n/** A key. */\nexport class NodePublicKey {}\n',
  }
  const [snippet] = exampleSnippets('derphttp', path => files[path] ?? '')
  expect([snippet?.place, snippet?.code.split('\n')]).toEqual([
    'Client of derphttp',
    [
      "import { Client } from 'derphttp'",
      'declare const url: string',
      "declare const peer: import('derphttp').NodePublicKey",
      'await new Client(url).send(peer)',
      '',
    ],
  ])
})

test.each(ENTRIES)('every export of %s has a doc comment, every class and function of it an example', entry => {
  expect(undocumented(publicDeclarations(`src/entries/${entry}.ts`, read))).toEqual([])
})

/** Names of the compiler's files, by what they hold. */
function writeProgram(snippets: readonly Snippet[]): Map<string, Snippet> {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  const named = new Map(snippets.map((snippet, at) => [`snippet-${at}.${snippet.language}`, snippet]))
  for (const [name, { code }] of named) writeFileSync(join(FOLDER, name), `${code}export {}\n`)
  const paths = Object.fromEntries(
    ENTRIES.map(entry => [
      entry === 'derphttp' ? 'derphttp' : `derphttp/${entry}`,
      [`../../../src/entries/${entry}.ts`],
    ]),
  )
  const compilerOptions = {
    lib: ['ES2024', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
    jsx: 'react-jsx',
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths,
  }
  const config = { extends: '../../../tsconfig.json', compilerOptions, include: ['.'], exclude: [] }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
  return named
}

test('the TypeScript of pages and doc comments compiles', async () => {
  const pages = pagesWithSnippets(ROOT).flatMap(page => snippetsOf(page, read(page)))
  const examples = ENTRIES.flatMap(entry => exampleSnippets(entry, read))
  const named = writeProgram([...pages, ...examples])
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  const output = await promisify(execFile)(tsc, ['-p', FOLDER, '--noEmit', '--pretty', 'false'], { cwd: FOLDER }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  )
  const told = output.replaceAll(/^(snippet-\d+\.tsx?)\((\d+),/gm, (_, name: string, line: string) => {
    const { path, place } = named.get(name) ?? { path: name, place: '' }
    return `${path}, ${typeof place === 'number' ? `line ${place + Number(line) - 1}` : place} (`
  })
  expect(told).toBe('')
})

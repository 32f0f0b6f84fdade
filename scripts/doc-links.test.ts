import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { anchorsOf, brokenLinks, brokenMentions, linksOf, type Repository, reachedFrom } from './doc-links.ts'

const ROOT = join(import.meta.dirname, '..')
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
const paths = listed.split('\n').filter(path => path !== '' && existsSync(join(ROOT, path)))
const repository: Repository = {
  files: new Set(paths),
  read: path => readFileSync(join(ROOT, path), 'utf8'),
}

test('linksOf reads Markdown and HTML, but neither code nor other sites', () => {
  const text = '[a](b.md#c) ![d](e.png) <img src="f.png"> `[g](h.md)` [i](https://j.example)\n```\n[k](l.md)\n```\n'
  expect(linksOf(text)).toEqual(['b.md#c', 'e.png', 'f.png'])
})

test('anchorsOf names headings as GitHub does', () => {
  const text = '# A `b` & c\n## [Link](x.md): it’s\n## Twice\n## Twice\n```\n# code\n```\n'
  expect([...anchorsOf(text)]).toEqual(['a-b--c', 'link-its', 'twice', 'twice-1'])
})

test('brokenLinks and brokenMentions name what does not exist', () => {
  const texts: Record<string, string> = {
    'docs/a.md': '# A\n[ok](b.md#b) [folder](../deploy) [gone](c.md) [anchor](b.md#x) [own](#a)',
    'docs/b.md': '# B\n',
    'deploy/compose.yaml': '',
    'src/c.ts': "'see docs/b.md#b, docs/b.md#y and docs/z.md'",
  }
  const small: Repository = { files: new Set(Object.keys(texts)), read: path => texts[path] ?? '' }
  expect(brokenLinks('docs/a.md', small)).toEqual(['docs/a.md: c.md', 'docs/a.md: b.md#x'])
  expect(brokenMentions('src/c.ts', small)).toEqual(['src/c.ts: docs/b.md#y', 'src/c.ts: docs/z.md'])
  expect([...reachedFrom('docs/a.md', small)]).toEqual(['docs/a.md', 'docs/b.md', 'deploy/compose.yaml'])
})

test('every link of every page leads to a file, and to a heading of it', () => {
  expect(paths.filter(path => path.endsWith('.md')).flatMap(page => brokenLinks(page, repository))).toEqual([])
})

test('every page that code, messages and other files mention exists', () => {
  const others = paths.filter(path => /\.(?:ts|tsx|mjs|json|ya?ml|go|service|conf|cfg)$/.test(path))
  const read = others.filter(path => path !== 'scripts/doc-links.test.ts')
  expect(read.flatMap(path => brokenMentions(path, repository))).toEqual([])
})

test('every file of docs/ can be reached from docs/README.md', () => {
  const reached = reachedFrom('docs/README.md', repository)
  expect(paths.filter(path => path.startsWith('docs/') && !reached.has(path))).toEqual([])
})

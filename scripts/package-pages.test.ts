/** What the published package has beside code: pages, the files that they link to, and nothing else. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'

/** Files that package.json and its tools name, rather than pages. */
const NAMED = ['LICENSE', 'README.md', 'package.json']
/** Of a page, of an image in one: up to a space or the end. */
const LINK = /\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"\s]+)"/g

/** Those of the package, without what is built. */
let files: Set<string>
beforeAll(() => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
  const [packed] = Object.values(JSON.parse(listed) as Record<string, { files: { path: string }[] }>)
  files = new Set(packed?.files.map(({ path }) => path).filter(path => !path.startsWith('dist/')))
})

/** The files or folders that a page links to, as paths from the root. */
function targetsOf(page: string): string[] {
  const links = Array.from(readFileSync(page, 'utf8').matchAll(LINK), ([, target, source]) => target ?? source ?? '')
  return links.filter(link => !/^(?:[a-z]+:|#)/.test(link)).map(link => join(dirname(page), link.replace(/#.*/, '')))
}

const within = (folder: string) => [...files].filter(path => path.startsWith(`${folder.replace(/\/$/, '')}/`))

test('the package has every file that its pages link to (write the path of a test or source as code instead)', () => {
  const pages = [...files].filter(path => path.endsWith('.md'))
  expect(pages).toContain('docs/operating.md')
  const missing = pages.flatMap(page =>
    targetsOf(page)
      .filter(target => !files.has(target) && within(target).length === 0)
      .map(target => `${page}: ${target}`),
  )
  expect(missing).toEqual([])
})

test('the package has no page and no file that nothing links to', () => {
  const reached = new Set(NAMED)
  for (const path of reached) {
    if (!path.endsWith('.md')) continue
    for (const target of targetsOf(path)) {
      if (files.has(target)) reached.add(target)
      for (const each of within(target)) reached.add(each)
    }
  }
  expect([...files].filter(path => !reached.has(path))).toEqual([])
})

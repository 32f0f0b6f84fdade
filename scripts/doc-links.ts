/** Finds links of Markdown pages, and mentions of pages in other files, that lead nowhere. Pure; doc-links.test.ts reads the files. */

import { dirname, join } from 'node:path/posix'

/** What links are checked against. */
export interface Repository {
  /** Paths of all files from the root. */
  readonly files: ReadonlySet<string>
  readonly read: (path: string) => string
}

/** A link of a page: a Markdown link or an attribute of HTML. */
const LINK = /\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"\s]+)"/g
const FENCE = /^(```|~~~)[^\n]*\n[\s\S]*?^\1/gm
const INLINE_CODE = /`[^`\n]*`/g
/** A path of a page or of a file beside it, as messages and comments write it. */
const MENTION = /(?<![\w./-])(?:docs|deploy|examples)\/[\w./-]*\w(?:\.md)(?:#[\w-]+)?/g

/** What a page links to, without other sites; code is left out. */
export function linksOf(text: string): string[] {
  const prose = text.replaceAll(FENCE, '').replaceAll(INLINE_CODE, '')
  const links = Array.from(prose.matchAll(LINK), ([, target, source]) => target ?? source ?? '')
  return links.filter(link => !/^[a-z]+:/.test(link))
}

/** Paths of the repository's files and folders that a page links to. */
export function targetsOf(page: string, text: string): string[] {
  const paths = linksOf(text).map(link => link.replace(/#.*/, ''))
  return paths.filter(path => path !== '').map(path => join(dirname(page), path).replace(/\/$/, ''))
}

/** The anchors that GitHub gives the headings of a page, and those that it sets itself. */
export function anchorsOf(text: string): Set<string> {
  const prose = text.replaceAll(FENCE, '')
  const anchors = new Set(Array.from(prose.matchAll(/<a (?:id|name)="([^"]+)"/g), ([, name]) => name ?? ''))
  const counts = new Map<string, number>()
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = slugOf(heading)
    const count = counts.get(slug) ?? 0
    counts.set(slug, count + 1)
    anchors.add(count === 0 ? slug : `${slug}-${count}`)
  }
  return anchors
}

function slugOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
  return text.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
}

/** Links of a page to files or anchors that do not exist. */
export function brokenLinks(page: string, repository: Repository): string[] {
  return linksOf(repository.read(page))
    .filter(link => {
      const [path = '', anchor] = link.split('#', 2)
      return !exists(path === '' ? page : join(dirname(page), path).replace(/\/$/, ''), anchor, repository)
    })
    .map(link => `${page}: ${link}`)
}

/** Pages that a file which is no page mentions by their path from the root, and that do not exist. */
export function brokenMentions(path: string, repository: Repository): string[] {
  const mentions = repository.read(path).match(MENTION) ?? []
  return mentions
    .filter(mention => {
      const [target = '', anchor] = mention.split('#', 2)
      return !exists(target, anchor, repository)
    })
    .map(mention => `${path}: ${mention}`)
}

function exists(target: string, anchor: string | undefined, { files, read }: Repository): boolean {
  if (!files.has(target)) return anchor === undefined && [...files].some(path => path.startsWith(`${target}/`))
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(read(target)).has(anchor)
}

/** All files that can be reached from a page over links; of a folder, all its files. */
export function reachedFrom(start: string, { files, read }: Repository): Set<string> {
  const reached = new Set([start])
  for (const path of reached) {
    if (!path.endsWith('.md')) continue
    for (const target of targetsOf(path, read(path))) {
      const within = files.has(target) ? [target] : [...files].filter(file => file.startsWith(`${target}/`))
      for (const file of within) reached.add(file)
    }
  }
  return reached
}

/** The files of `deploy/`, as text and as YAML. */

import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

export const ROOT: string = join(import.meta.dirname, '../..')

/** A YAML or JSON mapping. */
export type Mapping = Readonly<Record<string, unknown>>

/** Paths of all files, relative to the repository. */
export function deployPaths(): string[] {
  const paths = globSync('deploy/**/*', { cwd: ROOT })
  return paths.filter(path => statSync(join(ROOT, path)).isFile()).sort()
}

/** Paths of the pages for operators, relative to the repository. */
export function operatePages(): string[] {
  return globSync('docs/operate/*.md', { cwd: ROOT }).sort()
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** All documents of a YAML file. @throws Error for malformed YAML or a duplicate key. */
export function readYaml(path: string): Mapping[] {
  return parseAllDocuments(readText(path), { merge: true }).map(document => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) throw new Error(`read ${path}: ${problem.message}`)
    return document.toJS() as Mapping
  })
}

/** Variables of a file with `NAME=value` lines. */
export function readEnvFile(path: string): Record<string, string> {
  const lines = readText(path).split('\n')
  const pairs = lines.filter(line => /^\w/.test(line)).map(line => line.split(/=(.*)/, 2) as [string, string])
  return Object.fromEntries(pairs)
}

/** Variables set by the image. */
export function imageEnvironment(): Record<string, string> {
  const [, block = ''] = /^ENV (DERPER_(?:.*\\\n)*.*)$/m.exec(readText('deploy/Dockerfile')) ?? []
  return Object.fromEntries(block.split(/\s*\\\n\s*/).map(pair => pair.split('=', 2) as [string, string]))
}

/** The value at `path`, keys and indices separated by dots. @throws Error if it does not exist. */
export function at(value: unknown, path: string): unknown {
  let found: unknown = value
  for (const key of path.split('.')) found = (found as Mapping | undefined)?.[key]
  if (found === undefined) throw new Error(`read ${path}: not found`)
  return found
}

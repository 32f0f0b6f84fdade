/**
 * Prints sizes of folders and files, the number of translated words, and of secrets compared in variable time; fails above
 * the limits in house.ts.
 */

import { globSync, readFileSync } from 'node:fs'
import { measureHouse } from './house.ts'
import { measureSecretCompares } from './secret-compares.ts'

const textsOf = (patterns: string[]) =>
  new Map(
    globSync(patterns)
      .sort()
      .map(path => [path, readFileSync(path, 'utf8')]),
  )

const sources = textsOf(['src/**/*.ts'])
const prose = new Map([...sources, ...textsOf(['docs/**/*.{md,json,yaml}', 'README.md', 'AGENTS.md'])])
for (const path of sources.keys()) if (path.endsWith('.test.ts')) sources.delete(path)

for (const { line, problems } of [...measureHouse(sources, prose), measureSecretCompares(sources)]) {
  process.stdout.write(`${line}\n`)
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (problems.length > 0) process.exitCode = 1
}

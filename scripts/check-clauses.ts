/** Prints each clause with the sources and tests that cite it; fails on inconsistencies, also of the page of differences. */

import { globSync, readFileSync } from 'node:fs'
import { daemonPages } from '../src/daemon/debug/daemon-pages.ts'
import { NodePrivateKey } from '../src/keys/node-key.ts'
import { FrameType } from '../src/protocol/frame-type.ts'
import { createRelay } from '../src/relay.ts'
import { readClauseIndex, readDifferences, readProtocolPages, readRegionPage } from './clause-pages.ts'
import { citations, differenceProblems, findProblems, indexProblems, parseClauses, withoutComments } from './clauses.ts'

function textsOf(patterns: string[], exclude: (path: string) => boolean): Map<string, string> {
  const paths = globSync(patterns).filter(path => !exclude(path))
  return new Map(paths.sort().map(path => [path, readFileSync(path, 'utf8')]))
}

const isTest = (path: string) => path.endsWith('.test.ts')
const protocol = new Map(Array.from(readProtocolPages(), ([page, text]) => [page, parseClauses(text)]))
const clauses = [...protocol.values(), parseClauses(readRegionPage())].flat().toSorted((a, b) => (a.id < b.id ? -1 : 1))
const frames = Object.entries(FrameType).map(([name, type]) => `0x${type.toString(16).padStart(2, '0')} ${name}`)
const sources = textsOf(['src/**/*.ts'], isTest)
// Citations in comments of tests do not count.
const tests = new Map(
  Array.from(
    textsOf(['src/**/*.test.ts', 'test/**/*.ts'], path => path.includes('/support/')),
    ([path, text]) => [path, withoutComments(text)],
  ),
)
const address = { hostname: '', stunPort: undefined, canPort80: false }
const pages = daemonPages({ relay: {}, pages: { address, demo: true } }, { statusToken: undefined })
const relay = createRelay({ privateKey: NodePrivateKey.generate(), pages })
/** Files of pages, named by their content. */
const ASSET = /-[\w-]{10}\.\w+$/
const routes = [...relay.routes.exact.keys(), '/'].filter(path => !ASSET.test(path))
relay.close()

const bySource = citations(sources)
const byTest = citations(tests)
for (const { id, title, built } of clauses) {
  const counts = `${bySource.get(id)?.length ?? 0} sources, ${byTest.get(id)?.length ?? 0} tests`
  process.stdout.write(`${id}  ${built ? 'built  ' : 'planned'}  ${counts.padEnd(22)}  ${title}\n`)
}
const problems = [
  ...findProblems(clauses, { frames, routes, sources, tests }),
  ...indexProblems(readClauseIndex(), protocol),
  ...differenceProblems(readDifferences(), clauses, tests),
]
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

/** Bundle sizes for pages. */

import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { BROWSER_ENTRY, bundleForBrowser, type Chunk } from '../support/browser-bundle.ts'

const gzipped = (chunks: readonly Chunk[]) =>
  chunks.reduce((bytes, { code }) => bytes + gzipSync(code, { level: 9 }).length, 0)

/** The largest parts of the initial bundle, by folder. */
function tableOf(title: string, chunks: readonly Chunk[]): string {
  const folders = new Map<string, number>()
  for (const [path, length] of chunks.flatMap(({ parts }) => parts)) {
    const folder = /^(?:src\/[^/]+|node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(path)?.[0] ?? path
    folders.set(folder, (folders.get(folder) ?? 0) + length)
  }
  const rows = [...folders]
    .sort(([, a], [, b]) => b - a)
    .map(([folder, length]) => `  ${String(length).padStart(6)}  ${folder}`)
  return `${title}: ${gzipped(chunks)} bytes gzipped; characters by part before minifying:\n${rows.join('\n')}\n`
}

test.each([
  ['Client', ['Client'], 18_000],
  ['ResilientClient', ['Client', 'ResilientClient'], 22_000],
])('the initial bundle for %s and its keys is small', async (title, classes, mostBytes) => {
  const names = [...classes, 'NodePrivateKey', 'NodePublicKey'].join(', ')
  const chunks = await bundleForBrowser(`export { ${names} } from ${JSON.stringify(BROWSER_ENTRY)}`)
  const first = chunks.filter(({ isFirst }) => isFirst)
  process.stdout.write(tableOf(title, first))
  expect(gzipped(first)).toBeLessThanOrEqual(mostBytes)
  const modules = first.flatMap(({ parts }) => parts.map(([path]) => path))
  expect(modules.filter(path => /curves|\/node-(?!key)|ipaddr/.test(path))).toEqual([])
  // The JavaScript implementation of the curve is for platforms whose WebCrypto lacks X25519.
  const later = chunks.filter(({ isFirst }) => !isFirst)
  expect(later.map(({ parts }) => parts.some(([path]) => path.includes('@noble/curves')))).toEqual([true])
})

test('the browser entry imports no Node modules', async () => {
  const chunks = await bundleForBrowser(`export * from ${JSON.stringify(BROWSER_ENTRY)}`)
  const found = chunks.flatMap(({ code }) => code.match(/["'`]node:|__require|\bBuffer\b|\bprocess\./g) ?? [])
  expect(found).toEqual([])
})

import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { BUILT_ASSETS } from '../src/web/built-assets.ts'
import { buildWebAssets, type WebAsset } from './web-assets.ts'

let assets: readonly WebAsset[]
beforeAll(async () => {
  assets = (await buildWebAssets()).assets
})

test('the built files of the pages are those of their sources; node scripts/write-web-assets.ts writes them', () => {
  const written = BUILT_ASSETS.map(({ name, file, type, gzip }) => {
    return { name, file, type, text: gunzipSync(Buffer.from(gzip, 'base64')).toString() }
  })
  const built = assets.map(({ name, file, type, text }) => ({ name, file, type, text }))
  expect(written.map(({ file }) => file)).toEqual(built.map(({ file }) => file))
  expect(JSON.stringify(written) === JSON.stringify(built)).toBe(true)
})

/** What a page loads first: its style, its script and what that imports. */
function firstFiles(page: string): readonly WebAsset[] {
  const found = new Set(assets.filter(({ name }) => name.startsWith(`${page}.`)))
  for (const { imports } of found) for (const each of assets) if (imports.includes(each.file)) found.add(each)
  return [...found]
}

test.each([
  ['home', 45_000],
  ['status', 60_000],
])('the page "%s" loads less than %i bytes first, compressed', (page, most) => {
  const sizes = firstFiles(page).map(({ name, text }) => [name, gzipSync(text, { level: 9 }).length] as const)
  process.stdout.write(`${page} page: ${sizes.map(([name, size]) => `${name} ${size}`).join(', ')} bytes gzipped\n`)
  expect(sizes.length).toBeGreaterThanOrEqual(2)
  expect(sizes.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(most)
})

test('the built files load nothing from elsewhere', () => {
  // Names of namespaces, and one in a message.
  const elsewhere = /https?:\/\/(?!www\.w3\.org|relay\.example\b)[\w.]+/g
  for (const { text } of assets) expect(text.match(elsewhere) ?? []).toEqual([])
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { buildWebAssets, formatAssetsModule, type WebAsset } from './web-assets.ts'

let assets: readonly WebAsset[]
beforeAll(async () => {
  assets = (await buildWebAssets()).assets
})

test('the built files of the pages are those of their sources; node scripts/write-web-assets.ts writes them', () => {
  const written = readFileSync(join(import.meta.dirname, '../src/web/built-assets.ts'), 'utf8')
  expect(written === formatAssetsModule(assets)).toBe(true)
})

test('the status page loads less than 60 KB, compressed', () => {
  const sizes = assets
    .filter(({ name }) => name.startsWith('status.'))
    .map(({ name, text }) => [name, gzipSync(text, { level: 9 }).length] as const)
  process.stdout.write(`status page: ${sizes.map(([name, size]) => `${name} ${size}`).join(', ')} bytes gzipped\n`)
  expect(sizes.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(60_000)
})

test('the built files load nothing from elsewhere', () => {
  for (const { text } of assets) expect(text.match(/https?:\/\/(?!www\.w3\.org)[\w.]+/g) ?? []).toEqual([])
})

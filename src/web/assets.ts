/** Files of the pages, as the build has made them, under names that change with what is in them. */

import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { joinedHeader } from '../http/header.ts'
import type { Page } from '../http/page.ts'
import type { HttpReply } from '../listen/http-service.ts'
import { type AssetName, BUILT_ASSETS, type BuiltAsset } from './built-assets.ts'

/** Served files: their pages by path. */
export interface Assets {
  readonly pages: ReadonlyMap<string, Page>
  /** The path of a file, by the name that it was built under. */
  readonly pathOf: (name: string) => string
}

const HASH_LENGTH = 10

/** The files named `names`, below `folder`. */
export function serveAssets(folder: string, names: readonly AssetName[]): Assets {
  const paths = new Map<string, string>()
  const pages = new Map<string, Page>()
  for (const name of names) {
    const asset = BUILT_ASSETS[name]
    const path = `${folder}/${hashedName(name, asset.text)}`
    paths.set(name, path)
    pages.set(path, assetPage(asset))
  }
  return { pages, pathOf: name => paths.get(name) ?? '' }
}

function hashedName(name: string, text: string): string {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, HASH_LENGTH)
  const dot = name.lastIndexOf('.')
  return `${name.slice(0, dot)}-${hash}${name.slice(dot)}`
}

function assetPage({ type, text }: BuiltAsset): Page {
  const headers = {
    'Content-Type': type,
    'Cache-Control': 'public, max-age=31536000, immutable',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept-Encoding',
  }
  let zipped: Uint8Array | undefined
  return (request): HttpReply => {
    if (!/\bgzip\b/.test(joinedHeader(request, 'accept-encoding') ?? '')) return { status: 200, headers, body: text }
    zipped ??= gzipSync(text, { level: 9 })
    return { status: 200, headers: { ...headers, 'Content-Encoding': 'gzip' }, body: zipped }
  }
}

/** The built files of the pages, under names that change with their content. */

import { gunzipSync } from 'node:zlib'
import { joinedHeader } from '../http/header.ts'
import type { Page } from '../http/page.ts'
import type { HttpReply } from '../listen/http-service.ts'
import { BUILT_ASSETS, type BuiltAsset } from './built-assets.ts'

/** Served files: their pages by path. */
export interface Assets {
  readonly pages: ReadonlyMap<string, Page>
  /** The path of a file, by its name at build time. */
  readonly pathOf: (name: string) => string
}

/** All files, below `folder`: they load each other by name. */
export function serveAssets(folder: string): Assets {
  const pages = BUILT_ASSETS.map(asset => [`${folder}/${asset.file}`, assetPage(asset)] as const)
  const paths = new Map(BUILT_ASSETS.map(({ name, file }) => [name, `${folder}/${file}`]))
  return { pages: new Map(pages), pathOf: name => paths.get(name) ?? '' }
}

function assetPage({ type, gzip }: BuiltAsset): Page {
  const headers = {
    'Content-Type': type,
    'Cache-Control': 'public, max-age=31536000, immutable',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept-Encoding',
  }
  return (request): HttpReply => {
    const zipped = Buffer.from(gzip, 'base64')
    if (!/\bgzip\b/.test(joinedHeader(request, 'accept-encoding') ?? '')) {
      return { status: 200, headers, body: gunzipSync(zipped) }
    }
    return { status: 200, headers: { ...headers, 'Content-Encoding': 'gzip' }, body: zipped }
  }
}

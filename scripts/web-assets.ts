/** Builds the scripts and style sheets of the pages in `src/web`. */

import { join } from 'node:path'
import { build, type Rolldown } from 'vite'

const ROOT = join(import.meta.dirname, '..')

/** What pages load, by the name of the file; each is made of the script and the style sheet of that name. */
const PAGES = ['status'] as const

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** One built file. */
export interface WebAsset {
  readonly name: string
  readonly type: string
  readonly text: string
}

export interface BuiltWeb {
  /** In the order of their names. */
  readonly assets: readonly WebAsset[]
  /** Paths of all modules in them. */
  readonly moduleIds: readonly string[]
}

export async function buildWebAssets(): Promise<BuiltWeb> {
  const files = (await Promise.all(PAGES.map(buildPage))).flat()
  return {
    assets: files.map(assetOf).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    moduleIds: files.flatMap(file => (file.type === 'chunk' ? file.moduleIds : [])),
  }
}

/** The module that the server takes them from. */
export function formatAssetsModule(assets: readonly WebAsset[]): string {
  const names = assets.map(({ name }) => `'${name}'`).join(' | ')
  const entries = assets.map(({ name, type, text }) => `  '${name}': ${JSON.stringify({ type, text })},\n`)
  return `// Built from src/web/page by scripts/write-web-assets.ts; not to be edited.

/** A file as it is served. */
export interface BuiltAsset {
  readonly type: string
  readonly text: string
}

export type AssetName = ${names}

export const BUILT_ASSETS: Readonly<Record<AssetName, BuiltAsset>> = {
${entries.join('')}}
`
}

async function buildPage(page: string): Promise<(Rolldown.OutputChunk | Rolldown.OutputAsset)[]> {
  const source = join(ROOT, 'src/web/page', page)
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      cssMinify: true,
      lib: { entry: `${source}.ts`, formats: ['es'], fileName: page, cssFileName: page },
      rollupOptions: { output: { minify: true, codeSplitting: false } },
    },
  })
  const outputs = (Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[]
  return outputs.flatMap(({ output }) => output)
}

function assetOf(file: Rolldown.OutputChunk | Rolldown.OutputAsset): WebAsset {
  const text = file.type === 'chunk' ? file.code : String(file.source)
  const type = TYPES[file.fileName.split('.').at(-1) ?? ''] ?? ''
  return { name: file.fileName, type, text: text.trim() }
}

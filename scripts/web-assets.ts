/** Builds the scripts and style sheets of the pages in `src/web`. */

import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'

const ROOT = join(import.meta.dirname, '..')

/** Each page is made of the script and the style sheet of its name, and of chunks that pages share. */
const PAGES = ['demo', 'home', 'status'] as const

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** One built file. */
export interface WebAsset {
  /** As pages name it, such as `home.js`. */
  readonly name: string
  /** As it is served: with a hash of its content. */
  readonly file: string
  readonly type: string
  readonly text: string
  /** Files that are loaded with it. */
  readonly imports: readonly string[]
}

export interface BuiltWeb {
  /** In the order of their names. */
  readonly assets: readonly WebAsset[]
  /** Paths of all modules in them. */
  readonly moduleIds: readonly string[]
}

export async function buildWebAssets(): Promise<BuiltWeb> {
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      cssMinify: true,
      cssCodeSplit: true,
      modulePreload: false,
      rollupOptions: {
        input: Object.fromEntries(PAGES.map(page => [page, join(ROOT, 'src/web/page', `${page}.ts`)])),
        output: {
          minify: true,
          entryFileNames: '[name]-[hash:10].js',
          chunkFileNames: '[name]-[hash:10].js',
          assetFileNames: '[name]-[hash:10][extname]',
        },
      },
    },
  })
  const outputs = (Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[]
  const files = outputs.flatMap(({ output }) => output)
  return {
    assets: files.map(assetOf).toSorted((a, b) => (a.file < b.file ? -1 : 1)),
    moduleIds: files.flatMap(file => (file.type === 'chunk' ? file.moduleIds : [])),
  }
}

/** The module that the server takes them from. */
export function formatAssetsModule(assets: readonly WebAsset[]): string {
  const entries = assets.map(({ name, file, type, text }) => {
    const gzip = gzipSync(text, { level: 9 }).toString('base64')
    return `  { name: '${name}', file: '${file}', type: '${type}', gzip: '${gzip}' },\n`
  })
  return `// Built from src/web/page by scripts/write-web-assets.ts; not to be edited.

/** A file as it is served. */
export interface BuiltAsset {
  readonly name: string
  /** With a hash of what is in it. */
  readonly file: string
  readonly type: string
  /** Compressed, in base64. */
  readonly gzip: string
}

export const BUILT_ASSETS: readonly BuiltAsset[] = [
${entries.join('')}]
`
}

function assetOf(file: Rolldown.OutputChunk | Rolldown.OutputAsset): WebAsset {
  const text = file.type === 'chunk' ? file.code : String(file.source)
  const extension = file.fileName.split('.').at(-1) ?? ''
  const name = file.fileName.replace(/-[\w-]{10}(\.\w+)$/, '$1')
  const imports = file.type === 'chunk' ? file.imports : []
  return { name, file: file.fileName, type: TYPES[extension] ?? '', text: text.trim(), imports }
}

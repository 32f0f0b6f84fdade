/** Bundles code for browsers. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { build, type Rolldown } from 'vite'

const ROOT = join(import.meta.dirname, '../..')
/** Import path of the browser entry. */
export const BROWSER_ENTRY: string = join(ROOT, 'src/entries/browser.ts')

const PROTOCOL_ENTRY = join(ROOT, 'src/entries/protocol.ts')

/** One file of a bundle. */
export interface Chunk {
  readonly name: string
  readonly code: string
  /** Whether it is the initial file, or statically imported by one. */
  readonly isFirst: boolean
  /** Characters by module before minifying, the largest first. */
  readonly parts: readonly (readonly [path: string, length: number])[]
}

/** Bundles and minifies a module. @param name of the output file, without extension. */
export async function bundleForBrowser(code: string, name = 'main'): Promise<readonly Chunk[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
  try {
    const entry = join(folder, `${name}.js`)
    writeFileSync(entry, code)
    const lib = { entry, formats: ['es' as const], fileName: name }
    const output = { minify: true }
    const result = await build({
      root: ROOT,
      configFile: false,
      logLevel: 'error',
      // As users of the package import it.
      resolve: { alias: { 'derphttp/browser': BROWSER_ENTRY, 'derphttp/protocol': PROTOCOL_ENTRY } },
      define: { 'process.env.NODE_ENV': '"production"' },
      build: { write: false, target: 'es2022', lib, rollupOptions: { output } },
    })
    return chunksOf((Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function chunksOf(outputs: readonly Rolldown.RolldownOutput[]): Chunk[] {
  const chunks = outputs.flatMap(({ output }) => output.filter(each => each.type === 'chunk'))
  const first = new Set<string>()
  const load = (fileName: string): void => {
    if (first.has(fileName)) return
    first.add(fileName)
    for (const imported of chunks.find(chunk => chunk.fileName === fileName)?.imports ?? []) load(imported)
  }
  for (const { isEntry, fileName } of chunks) if (isEntry) load(fileName)
  return chunks.map(chunk => ({
    name: chunk.fileName,
    code: chunk.code,
    isFirst: first.has(chunk.fileName),
    parts: Object.entries(chunk.modules)
      .map(([path, { renderedLength }]) => [relative(ROOT, path), renderedLength] as const)
      .sort(([, a], [, b]) => b - a),
  }))
}

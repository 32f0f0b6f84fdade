/**
 * Builds the package: the library file by file, and the commands bundled with everything only they need.
 *
 * So an install of the library brings few packages. The licences of what is bundled lie beside it.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type OutputChunk, rolldown } from 'rolldown'
import { COMMAND_BUNDLE, failOnWarning } from './bundling.ts'
import { licencesOf, readManifest } from './licences.ts'
import { loadedFiles } from './loaded-files.ts'
import { manPages } from './man-pages.ts'
import { buildWebAssets } from './web-assets.ts'

const JSONC_EXPORTS = ['findNodeAtLocation', 'getNodeValue', 'parse', 'parseTree', 'printParseErrorCode']
const YAML_EXPORTS = ['isMap', 'isNode', 'isScalar', 'LineCounter', 'parse', 'parseDocument', 'stringify']
const COMMANDS = ['derper', 'derp', 'derpprobe']
const BIN = 'dist/bin'
const MAN = 'dist/man'
const VENDOR = 'dist/vendor'
const ENTRY = 'derphttp:vendored'
/** Parts of packages that the library and the commands share: each file has only the named exports, and what these need. */
const VENDORED = [
  { specifier: '@noble/curves/ed25519.js', file: 'x25519', exports: ['x25519'] },
  { specifier: 'jsonc-parser', file: 'jsonc-parser', exports: JSONC_EXPORTS },
  { specifier: 'yaml', file: 'yaml', exports: YAML_EXPORTS },
]

/** Packages that the library needs are installed anyway: the commands share them. */
function isInstalled(id: string): boolean {
  const { dependencies = {} } = readManifest('.')
  return Object.keys(dependencies).some(name => id === name || id.startsWith(`${name}/`))
}

/** The commands, in the folder beside it, share what the library has. */
function vendoredFor(id: string): { id: string; external: true } | null {
  const part = VENDORED.find(({ specifier }) => specifier === id)
  return part === undefined ? null : { id: `../vendor/${part.file}.js`, external: true }
}

async function bundleCommands(): Promise<OutputChunk[]> {
  const bundle = await rolldown({
    input: Object.fromEntries(COMMANDS.map(name => [name, `src/bin/${name}.ts`])),
    ...COMMAND_BUNDLE,
    plugins: [COMMAND_BUNDLE.plugins, { name: 'vendored', resolveId: vendoredFor }],
    external: isInstalled,
  })
  const { output } = await bundle.write({
    dir: BIN,
    format: 'esm',
    sourcemap: true,
    minify: true,
    chunkFileNames: '[name]-[hash].js',
  })
  await bundle.close()
  return output.filter(file => file.type === 'chunk')
}

/** Writes the parts of a package to one file of the library. */
async function vendor({ specifier, file, exports }: (typeof VENDORED)[number]): Promise<OutputChunk[]> {
  const bundle = await rolldown({
    input: ENTRY,
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] },
    plugins: [
      {
        name: 'entry',
        resolveId: id => (id === ENTRY ? id : null),
        load: id => (id === ENTRY ? `export { ${exports.join(', ')} } from '${specifier}'` : null),
      },
    ],
    onwarn: failOnWarning,
  })
  const output = { file: `${VENDOR}/${file}.js`, format: 'esm', sourcemap: true, minify: true } as const
  const { output: chunks } = await bundle.write(output)
  await bundle.close()
  return chunks.filter(file => file.type === 'chunk')
}

/** Has the compiled modules of the library import what is vendored from there. */
function importVendored(): void {
  for (const path of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.js')) continue
    const code = readFileSync(join('dist', path), 'utf8')
    const linked = VENDORED.reduce((text, { specifier, file }) => {
      const target = relative(dirname(join('dist', path)), `${VENDOR}/${file}.js`)
      return text.replaceAll(new RegExp(`(?<=\\b(?:from |import\\())'${specifier}'`, 'g'), `'${target}'`)
    }, code)
    if (linked !== code) writeFileSync(join('dist', path), linked)
  }
}

/** Has declarations with `Symbol.asyncDispose` bring its type, which a program that compiles for an older `target` lacks. */
function referToDisposable(): void {
  for (const path of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.d.ts')) continue
    const text = readFileSync(join('dist', path), 'utf8')
    const reference = '/// <reference lib="esnext.disposable" />\n'
    if (text.includes('Symbol.asyncDispose')) writeFileSync(join('dist', path), reference + text)
  }
}

/** Removes modules that hold nothing but types, and types that no entry shows. */
function removeUnused(): void {
  const loaded = loadedFiles('.')
  for (const entry of readdirSync('dist', { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !loaded.has(path)) rmSync(path)
  }
}

rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
importVendored()
referToDisposable()
const vendored = await Promise.all(VENDORED.map(vendor))
const chunks = [...(await bundleCommands()), ...vendored.flat()]
removeUnused()
mkdirSync(MAN)
for (const [name, page] of manPages()) writeFileSync(join(MAN, name), page)
const { moduleIds } = await buildWebAssets()
writeFileSync('dist/LICENSES.txt', licencesOf([...chunks.flatMap(chunk => chunk.moduleIds), ...moduleIds]))
for (const name of COMMANDS) {
  if (!existsSync(join(BIN, `${name}.js`))) throw new Error(`build: no ${name}.js came out`)
}
// What is written to standard output would be part of that of npm pack.
process.stderr.write('wrote dist/: the package, which programs in this folder can import\n')

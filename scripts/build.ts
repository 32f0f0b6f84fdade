/**
 * Builds the package: the library file by file, and the commands bundled with everything only they need.
 *
 * So an install of the library brings few packages. The licences of what is bundled lie beside it.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OutputChunk, rolldown } from 'rolldown'

const COMMANDS = ['derper', 'derp', 'derpprobe']
const BIN = 'dist/bin'
/** The package that a module belongs to, as a folder. */
const PACKAGE_FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly dependencies?: Record<string, string>
}

const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** Packages that the library needs are installed anyway: the commands share them. */
function isInstalled(id: string): boolean {
  const { dependencies = {} } = readManifest('.')
  return Object.keys(dependencies).some(name => id === name || id.startsWith(`${name}/`))
}

async function bundleCommands(): Promise<OutputChunk[]> {
  const bundle = await rolldown({
    input: Object.fromEntries(COMMANDS.map(name => [name, `src/bin/${name}.ts`])),
    platform: 'node',
    external: isInstalled,
    onwarn: warning => {
      throw new Error(`bundle commands: ${warning.message}`)
    },
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

/** The licence of each bundled package. @throws Error if a package has none. */
function licencesOf(chunks: readonly OutputChunk[]): string {
  const modules = chunks.flatMap(chunk => chunk.moduleIds)
  const folders = new Set(modules.flatMap(id => PACKAGE_FOLDER.exec(id)?.[0] ?? []))
  return [...folders].sort().map(licenceOf).join('\n')
}

function licenceOf(folder: string): string {
  const { name, version, license } = readManifest(folder)
  const file = readdirSync(folder).find(each => /^licen[cs]e/i.test(each))
  if (file === undefined && license === undefined) throw new Error(`bundle ${name}: it names no licence`)
  const text = file === undefined ? `Licensed under ${license}.` : readFileSync(join(folder, file), 'utf8').trim()
  return `${name} ${version}\n${'='.repeat(name.length + version.length + 1)}\n\n${text}\n`
}

rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
const chunks = await bundleCommands()
writeFileSync(join(BIN, 'LICENSES.txt'), licencesOf(chunks))
for (const name of COMMANDS) {
  if (!existsSync(join(BIN, `${name}.js`))) throw new Error(`build: no ${name}.js came out`)
}

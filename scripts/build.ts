/**
 * Builds the package: the library file by file, and the commands bundled with everything only they need.
 *
 * So an install of the library brings few packages. The licences of what is bundled lie beside it.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OutputChunk, rolldown } from 'rolldown'
import { COMMAND_BUNDLE, failOnWarning } from './bundling.ts'
import { licencesOf, readManifest } from './licences.ts'
import { buildWebAssets } from './web-assets.ts'

const COMMANDS = ['derper', 'derp', 'derpprobe']
const BIN = 'dist/bin'
/** The module of the library that loads the parsers of DERP maps as people keep them. */
const PARSERS = 'dist/derpmap/node-map-text.js'

/** Packages that the library needs are installed anyway: the commands share them. */
function isInstalled(id: string): boolean {
  const { dependencies = {} } = readManifest('.')
  return Object.keys(dependencies).some(name => id === name || id.startsWith(`${name}/`))
}

async function bundleCommands(): Promise<OutputChunk[]> {
  const bundle = await rolldown({
    input: Object.fromEntries(COMMANDS.map(name => [name, `src/bin/${name}.ts`])),
    ...COMMAND_BUNDLE,
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

/** Puts the parsers of YAML and of JSON with comments into the one module of the library that uses them. */
async function bundleParsers(): Promise<OutputChunk[]> {
  const bundle = await rolldown({
    input: PARSERS,
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] },
    // Its own imports stay imports.
    external: (id, importer) => id.startsWith('.') && importer?.includes('/node_modules/') === false,
    onwarn: failOnWarning,
  })
  const output = { file: PARSERS, format: 'esm', sourcemap: true, minify: true, codeSplitting: false } as const
  const { output: chunks } = await bundle.write(output)
  await bundle.close()
  return chunks.filter(file => file.type === 'chunk')
}

rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
const chunks = [...(await bundleCommands()), ...(await bundleParsers())]
const { moduleIds } = await buildWebAssets()
writeFileSync('dist/LICENSES.txt', licencesOf([...chunks.flatMap(chunk => chunk.moduleIds), ...moduleIds]))
for (const name of COMMANDS) {
  if (!existsSync(join(BIN, `${name}.js`))) throw new Error(`build: no ${name}.js came out`)
}

/**
 * Our commands, as tests start them: bundled as in the package, which halves the processor time of their start.
 *
 * From source on Bun, and where nothing has been bundled: {@link bundleCommands} runs before the tests of slow projects.
 */

import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { COMMAND_BUNDLE } from '../../scripts/bundling.ts'
import { RUNTIME_NAME } from './runtime.ts'

const ROOT = join(import.meta.dirname, '../..')
const BUNDLED = 'DERPHTTP_TEST_COMMANDS'
const NAMES = ['derper', 'derp', 'derpprobe'] as const

type CommandName = (typeof NAMES)[number]

/** Path of the program that is to be run for a command. */
export function commandPath(name: CommandName): string {
  const bundled = process.env[BUNDLED]
  return bundled === undefined || RUNTIME_NAME === 'bun' ? sourcePath(name) : join(bundled, `${name}.js`)
}

/** That of a checkout, for what only it says or does. */
export function sourcePath(name: CommandName): string {
  return join(ROOT, `src/bin/${name}.ts`)
}

/** Bundles the commands for the tests that this process and its children run. */
export async function bundleCommands(): Promise<void> {
  if (process.env[BUNDLED] !== undefined) return
  const dir = join(ROOT, 'node_modules/.cache/test-commands')
  process.env[BUNDLED] = dir
  const input = Object.fromEntries(NAMES.map(name => [name, join(ROOT, `src/bin/${name}.ts`)]))
  const bundle = await rolldown({ input, ...COMMAND_BUNDLE })
  await bundle.write({ dir, cleanDir: true, format: 'esm', chunkFileNames: '[name]-[hash].js' })
  await bundle.close()
}

/**
 * Builds single files that need no runtime, no packages and no network: `npm run build:binary -- --help`.
 *
 * Each is the pinned Bun with the bundled commands in it, the same bytes for the same commit on the same kind of machine.
 * Bun for other systems comes from npm as well, checked against the lockfile.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'
import { bunPath } from '../tools/bun/bun-path.ts'
import { COMMAND_BUNDLE } from './bundling.ts'
import { licencesOf } from './licences.ts'

const ENTRY = 'src/bin/single-file.ts'
/** The same path in every clone, as it becomes part of the files. */
const BUNDLE = 'node_modules/.cache/single-file/derper.js'
const CACHE = 'node_modules/.cache/bun'
const COMMANDS = ['derper', 'derp', 'derpprobe']
/** The package that has the Bun of each target. */
const RUNTIMES: Readonly<Record<string, string>> = {
  'linux-x64': '@oven/bun-linux-x64',
  'linux-arm64': '@oven/bun-linux-aarch64',
  'darwin-x64': '@oven/bun-darwin-x64',
  'darwin-arm64': '@oven/bun-darwin-aarch64',
  'windows-x64': '@oven/bun-windows-x64',
}
const OWN_TARGET = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
/** What a deployment runs on, and tests can look into here. */
const DEFAULT_TARGETS = ['linux-x64', 'linux-arm64']

const USAGE = `usage: npm run build:binary -- [options]

Writes executables and SHA256SUMS. The three commands of a target are one file under three names: its name picks the command.

  --target T,...  ${Object.keys(RUNTIMES).join(', ')}, or all;
                  default: ${DEFAULT_TARGETS.join(', ')}
  --out FOLDER    default: build
`

/** Names of locked packages with what their archives must hash to. */
type Lockfile = {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity?: string } | undefined>>
}

/** Bun for a target: the installed one for this machine, for others from npm. @throws Error for an archive that was changed. */
function runtimeOf(target: string): string {
  const installed = target === OWN_TARGET ? bunPath() : undefined
  return installed ?? fetchedRuntime(RUNTIMES[target] as string)
}

function fetchedRuntime(name: string): string {
  const { packages }: Lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  const locked = packages[`node_modules/${name}`]
  if (locked?.integrity === undefined) throw new Error(`fetch ${name}: not in package-lock.json`)
  const { version, integrity } = locked
  mkdirSync(CACHE, { recursive: true })
  const pack = ['pack', `${name}@${version}`, '--json', '--prefer-offline', '--pack-destination', CACHE]
  const [packed] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8' })) as [{ filename: string }]
  const archive = join(CACHE, packed.filename)
  const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (hash !== integrity)
    throw new Error(`fetch ${name}: its archive is ${hash}, and package-lock.json has ${integrity}`)
  const folder = join(CACHE, packed.filename.replace(/\.tgz$/, ''))
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['xzf', archive, '-C', folder, '--strip-components', '1'])
  return join(folder, 'bin', name.includes('windows') ? 'bun.exe' : 'bun')
}

/** Writes the files of a target; returns their names. */
function build(target: string, out: string): string[] {
  const suffix = target.startsWith('windows') ? '.exe' : ''
  const [first = '', ...others] = COMMANDS.map(command => `${command}-${target}${suffix}`)
  // The name is part of the file, hence the same wherever it is built. Files of the working directory are nobody's settings.
  const own = ['--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig']
  // Names are kept for the stacks of errors.
  const small = ['--minify-syntax', '--minify-whitespace']
  const runtime = ['--compile-executable-path', runtimeOf(target), '--target', `bun-${target}`]
  // Compiled beforehand it starts in half the time. What one machine compiles for another cannot be tested here.
  const compiled = target === OWN_TARGET ? ['--bytecode', '--format=esm'] : []
  const args = ['build', '--compile', ...compiled, ...runtime, ...small, ...own, '--outfile', join(out, first), BUNDLE]
  execFileSync(bunPath() ?? 'bun', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  for (const other of others) {
    rmSync(join(out, other), { force: true })
    linkSync(join(out, first), join(out, other))
  }
  return [first, ...others]
}

/** Bundles the commands; writes the licences of what is in the files besides Bun. */
async function bundle(out: string): Promise<void> {
  const bundled = await rolldown({ ...COMMAND_BUNDLE, input: ENTRY })
  const { output } = await bundled.write({ file: BUNDLE, format: 'esm', codeSplitting: false })
  await bundled.close()
  const modules = output.flatMap(file => (file.type === 'chunk' ? file.moduleIds : []))
  const own = readFileSync('LICENSE', 'utf8')
  const runtime =
    'The runtime in these files is Bun, https://bun.com, under the MIT licence; see its LICENSE.md for its parts.'
  writeFileSync(join(out, 'LICENSES.txt'), `${own}\n${runtime}\n\n${licencesOf(modules)}`)
}

function sumOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: DEFAULT_TARGETS.join(',') },
      out: { type: 'string', default: 'build' },
      help: { type: 'boolean', default: false },
    },
  })
  const { target, out } = values
  const targets = target === 'all' ? Object.keys(RUNTIMES) : target.split(',')
  const unknown = targets.filter(each => !Object.hasOwn(RUNTIMES, each))
  if (values.help || unknown.length > 0) {
    process.stdout.write(unknown.length > 0 ? `build for ${unknown.join(', ')}: unknown target\n\n${USAGE}` : USAGE)
    return values.help ? 0 : 2
  }
  mkdirSync(out, { recursive: true })
  await bundle(out)
  const sums: string[] = []
  for (const each of targets) {
    const names = build(each, out)
    const sum = sumOf(join(out, names[0] as string))
    sums.push(...names.map(name => `${sum}  ${name}\n`))
    process.stdout.write(`${names.map(name => join(out, name)).join(', ')}\n`)
  }
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''))
  return 0
}

process.exitCode = await main()

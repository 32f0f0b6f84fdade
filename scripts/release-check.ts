/**
 * `npm run release:check`: builds all that a release has, checks it, and relays with each part from an empty place.
 *
 * Leaves the files in build/release. Needs Linux, root for roots of its own, and dpkg.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { BareRoot, canChangeRoot } from '../test/support/bare-root.ts'
import { imageEnvironment } from '../test/support/deploy-files.ts'
import { whileInOverlay } from '../test/support/overlay-root.ts'
import { type Program, startProgram } from '../test/support/process.ts'
import { exchangeBetween } from '../test/support/relay-clients.ts'
import { freePort } from '../test/support/relays.ts'
import { served } from '../test/support/served.ts'
import { buildCommit } from './commit.ts'
import { buildImage } from './image.ts'
import { installSize, MOST_INSTALLED } from './install-size.ts'
import { readManifest } from './licences.ts'
import { packagesIn, type Sbom, sbomOf } from './sbom.ts'

interface NpmSbom extends Sbom {
  readonly metadata: { readonly component: object }
}

const OUT = resolve('build/release')
/** Of what is downloaded. */
const MOST_BYTES: Readonly<Record<string, number>> = { '.tgz': 4_000_000, '.deb': 60_000_000 }
const COMMANDS = ['derper', 'derp', 'derpprobe']
const SINGLE_FILE = join(OUT, `derper-linux-${process.arch}`)
/** Also built, and not run here. */
const OTHER_ARCH = process.arch === 'x64' ? 'arm64' : 'x64'
/** A relay on loopback. */
const FLAGS = ['-dev', '-a', '127.0.0.1:0', '-stun=false']
const { name, version, dependencies = {} } = readManifest('.')
const commit = buildCommit()
const VERSION = commit === undefined ? version : `${version}-g${commit}`

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 })
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
/** Says what is done and how long it took. */
async function step<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const startMs = performance.now()
  const result = await work()
  console.log(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s`)
  return result
}

/** Builds a file twice; returns its path. @throws Error unless it has the same bytes. */
function builtTwice(build: () => string): string {
  const path = build()
  const first = hashOf(path)
  rmSync(path)
  if (hashOf(build()) !== first) throw new Error(`build ${basename(path)} again: it has other bytes`)
  const most = MOST_BYTES[path.slice(path.lastIndexOf('.'))] ?? Number.POSITIVE_INFINITY
  const { size } = statSync(path)
  if (size > most) throw new Error(`measure ${basename(path)}: ${size} bytes, above ${most}`)
  return path
}

function pack(): string {
  run('npm', 'pack', '--pack-destination', OUT)
  return join(OUT, `${name}-${version}.tgz`)
}

function buildSingleFiles(): string {
  run('node', 'scripts/build-binary.ts', '--target', `linux-${process.arch},linux-${OTHER_ARCH}`, '--out', OUT)
  return SINGLE_FILE
}

function buildDebianPackage(arch: string = process.arch): string {
  return resolve(run('node', 'scripts/build-deb.ts', '--arch', arch, '--in', OUT, '--out', OUT).trim())
}

function writeSbom(): void {
  const all = JSON.parse(run('npm', 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only')) as NpmSbom
  const bundled = packagesIn(readFileSync('dist/LICENSES.txt', 'utf8'))
  const installed = Object.entries(dependencies).map(each => each.join(' '))
  // npm calls it like the folder.
  const metadata = { ...all.metadata, component: { ...all.metadata.component, name } }
  const bill = sbomOf({ ...all, metadata }, new Set([...bundled, ...installed]))
  writeFileSync(join(OUT, 'sbom.cdx.json'), JSON.stringify(bill, null, 2))
}

/** Calls `use` with an empty folder. */
async function inEmptyFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  try {
    await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Two clients talk through a `derper`. */
async function relayThrough(derper: Program): Promise<void> {
  const url = `http://${(await served(derper)).address}/derp`
  await exchangeBetween(url, url)
}

/** Calls `use` with a `derper`, and stops it. */
async function whileRunning(derper: Program, use: (derper: Program) => Promise<void>): Promise<void> {
  try {
    await use(derper)
  } finally {
    await derper.stop()
  }
}

/** @throws Error unless it tells what was built, and the runtime. */
function assertVersion(shown: string, runtime: string): void {
  if (!shown.startsWith(`${VERSION} on ${runtime} `)) throw new Error(`ask for the version, ${VERSION}: got ${shown}`)
}

const relayFromTarball = (tarball: string) =>
  inEmptyFolder(async folder => {
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    run('npm', 'install', '--prefix', folder, '--prefer-offline', '--ignore-scripts', tarball)
    assertSmall(folder)
    const bin = (command: string) => join(folder, 'node_modules/.bin', command)
    for (const command of COMMANDS) assertVersion(run(bin(command), '--version'), 'Node.js')
    await whileRunning(await startProgram(bin('derper'), FLAGS, { cwd: folder }), relayThrough)
    checkTypes(folder)
    runExamples(join(folder, 'node_modules', name))
  })

/** In a page's program, without the types of Node, for the oldest target that bundlers take by default. */
function checkTypes(folder: string): void {
  writeFileSync(join(folder, 'page.ts'), "import { Client } from 'derphttp/browser'\nexport const client = Client\n")
  const compiler = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '']
  run('tsc', ...compiler, '--module', 'esnext', '--moduleResolution', 'bundler', join(folder, 'page.ts'))
}

/** Those of the installed package, as their READMEs say. */
function runExamples(installed: string): void {
  run('env', `DERPHTTP_INSTALLED=${installed}`, 'vitest', 'run', '--project', 'cli', 'test/cli/examples-')
}

function assertSmall(folder: string): void {
  const { packages, bytes } = installSize(folder)
  console.log(`  installs ${packages} packages, ${bytes} bytes without source maps`)
  if (packages > MOST_INSTALLED.packages || bytes > MOST_INSTALLED.bytes) {
    throw new Error(`install the tarball: above ${MOST_INSTALLED.packages} packages or ${MOST_INSTALLED.bytes} bytes`)
  }
}

/** In a root with nothing but the file and the parts of glibc that it is linked with. */
async function relayFromSingleFile(): Promise<void> {
  using root = new BareRoot()
  root.add(SINGLE_FILE, ...COMMANDS)
  for (const command of COMMANDS) {
    const shown = await root.start(command, '--version')
    await shown.exit()
    assertVersion(shown.stdout, 'Bun')
  }
  await whileRunning(await root.start('derper', ...FLAGS), relayThrough)
}

/** Installed by dpkg above the files of this machine, as the user of the package. */
const relayFromDebianPackage = (file: string) => {
  const asUser = 'setpriv --reuid derper --regid derper --clear-groups env -i'
  const install = `dpkg -i /tmp/in/${basename(file)} >/dev/null`
  const shown = COMMANDS.map(command => `/usr/bin/${command} --version`)
  return whileInOverlay(
    OUT,
    [install, ...shown, `${asUser} /usr/bin/derper ${FLAGS.join(' ')}`].join('\n'),
    async derper => {
      for (const _ of COMMANDS) assertVersion(await derper.lineWhere(line => line), 'Bun')
      await relayThrough(derper)
    },
  )
}

/** With the environment and the user of the image, apart from its ports and TLS. */
async function relayFromImage(): Promise<void> {
  using root = await buildImage(commit)
  const env = {
    ...imageEnvironment(),
    DERPER_A: '127.0.0.1:0',
    DERPER_TLS: 'false',
    DERPER_HTTP_PORT: '-1',
    DERPER_STUN: 'false',
    DERPER_METRICS_ADDR: `127.0.0.1:${await freePort()}`,
  }
  const image = { user: '65532:65532', env }
  // Only root may look into the folder that it was made as.
  chmodSync(root.path, 0o755)
  const shown = await root.startAs(image, 'usr/bin/derper', '-version')
  await shown.exit()
  assertVersion(shown.stdout, 'Bun')
  await whileRunning(await root.startAs(image, 'usr/bin/derper'), async derper => {
    await relayThrough(derper)
    const health = await root.startAs(image, 'usr/bin/derper', 'health')
    if ((await health.exit()) !== 0) throw new Error(`ask the image for its health: ${health.stdout}${health.stderr}`)
  })
}

function writeSums(): void {
  const files = readdirSync(OUT).filter(each => each !== 'SHA256SUMS')
  writeFileSync(
    join(OUT, 'SHA256SUMS'),
    files
      .sort()
      .map(each => `${hashOf(join(OUT, each))}  ${each}\n`)
      .join(''),
  )
}

if (!canChangeRoot) throw new Error('check the release: only root on Linux can install it into roots of its own')
rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
console.log(VERSION)
const tarball = await step('tarball, built twice', () => builtTwice(pack))
await step('publint', () => run('publint', 'run', tarball, '--strict'))
await step('are the types wrong', () => run('attw', tarball, '--profile', 'esm-only'))
await step('bill of materials', writeSbom)
await step('relay from the tarball, run its examples', () => relayFromTarball(tarball))
await step('single files, built twice', () => builtTwice(buildSingleFiles))
await step('relay from the single file in an empty root', relayFromSingleFile)
const debianPackage = await step('Debian package, built twice', () => builtTwice(() => buildDebianPackage()))
await step('lintian', () => run('lintian', '--fail-on', 'error', '--allow-root', debianPackage))
await step(`Debian package for ${OTHER_ARCH}`, () => buildDebianPackage(OTHER_ARCH))
await step('relay from the installed Debian package', () => relayFromDebianPackage(debianPackage))
await step('build the image, and relay from it', relayFromImage)
writeSums()
console.log(readFileSync(join(OUT, 'SHA256SUMS'), 'utf8'))

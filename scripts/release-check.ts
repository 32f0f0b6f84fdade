/**
 * `npm run release:check`: builds all that a release has, checks it, and relays with each part from an empty place.
 *
 * Leaves the files in build/release. Needs Linux; without dpkg there is no Debian package. The image is built elsewhere: what its
 * Dockerfile copies is checked to be there.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startProgram } from '../test/support/process.ts'
import { exchangeBetween } from '../test/support/relay-clients.ts'
import { served } from '../test/support/served.ts'
import { readManifest } from './licences.ts'
import { packagesIn, type Sbom, sbomOf } from './sbom.ts'

interface NpmSbom extends Sbom {
  readonly metadata: { readonly component: object }
}

const OUT = resolve('build/release')
const { name, version, dependencies = {} } = readManifest('.')

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 })
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
const has = (program: string) =>
  (process.env['PATH'] ?? '').split(':').some(folder => existsSync(join(folder, program)))

/** Says what is done and how long it took. */
async function step<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const startMs = performance.now()
  const result = await work()
  console.log(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s`)
  return result
}

function pack(): string {
  run('npm', 'pack', '--pack-destination', OUT)
  return join(OUT, `${name}-${version}.tgz`)
}

/** @throws Error unless a second build has the same bytes. */
function packTwice(): string {
  const tarball = pack()
  const first = hashOf(tarball)
  pack()
  if (hashOf(tarball) !== first) throw new Error('pack again: the tarball has other bytes')
  return tarball
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

/** Two clients talk through a `derper` that runs in an empty folder. */
async function relayWith(program: string, ...args: string[]): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), 'release-'))
  const flags = ['-dev', '-a', '127.0.0.1:0', '-stun=false', '-c', join(cwd, 'derper.key')]
  const derper = await startProgram(program, [...args, ...flags], { cwd })
  try {
    const url = `http://${(await served(derper)).address}/derp`
    await exchangeBetween(url, url)
  } finally {
    await derper.stop()
    rmSync(cwd, { recursive: true })
  }
}

async function relayFromTarball(tarball: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  run('npm', 'install', '--prefix', folder, '--ignore-scripts', tarball)
  await relayWith(process.execPath, join(folder, 'node_modules', name, 'dist/bin/derper.js'))
  rmSync(folder, { recursive: true })
}

async function relayFromDebianPackage(): Promise<void> {
  const file = readdirSync(OUT).find(each => each.endsWith('.deb')) ?? ''
  const root = mkdtempSync(join(tmpdir(), 'release-'))
  run('dpkg-deb', '--extract', join(OUT, file), root)
  await relayWith(join(root, 'usr/bin/derper'))
  rmSync(root, { recursive: true })
}

/** @throws Error if the Dockerfile copies what is not there. */
function checkImageContext(): void {
  const copied = Array.from(
    readFileSync('deploy/Dockerfile', 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm),
    ([, from]) => from,
  )
  const missing = copied.flatMap(from => from?.split(' ') ?? []).filter(path => !existsSync(path))
  if (copied.length === 0 || missing.length > 0) throw new Error(`check the image: missing ${missing.join(', ')}`)
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

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const tarball = await step('tarball, built twice', packTwice)
await step('publint', () => run('publint', 'run', tarball, '--strict'))
await step('are the types wrong', () => run('attw', tarball, '--profile', 'esm-only'))
await step('bill of materials', writeSbom)
await step('image context', checkImageContext)
await step('relay from the tarball', () => relayFromTarball(tarball))
await step('single files', () =>
  run('node', 'scripts/build-binary.ts', '--target', `linux-${process.arch}`, '--out', OUT),
)
await step('relay from the single file', () => relayWith(join(OUT, `derper-linux-${process.arch}`)))
if (has('dpkg-deb')) {
  await step('Debian package', () => run('node', 'scripts/build-deb.ts', '--in', OUT, '--out', OUT))
  await step('relay from the Debian package', relayFromDebianPackage)
}
writeSums()
console.log(readFileSync(join(OUT, 'SHA256SUMS'), 'utf8'))

import { execFile, execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installSize, MOST_INSTALLED } from '../../scripts/install-size.ts'
import { loadedFiles } from '../../scripts/loaded-files.ts'
import { runtimeProblem } from '../../src/lib/runtime-version.ts'
import { bunPath } from '../../tools/bun/bun-path.ts'
import { hasGo } from '../support/go-tools.ts'
import { startNatsServer } from '../support/nats-server.ts'
import { Pebble } from '../support/pebble.ts'
import { startProgram } from '../support/process.ts'
import { freePort } from '../support/relays.ts'
import { served } from '../support/served.ts'
import { VERSION_LINE } from '../support/version-line.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

interface Manifest {
  readonly dependencies: Record<string, string>
  readonly exports: Record<string, unknown>
  readonly bin: Record<string, string>
  readonly man: readonly string[]
}
const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** A project with the packed package and only its declared dependencies. */
let project: string
let tarball: string
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'derphttp-package-'))
  const installed = join(project, 'node_modules', 'derphttp')
  mkdirSync(installed, { recursive: true })
  await run('npm', ['pack', '--pack-destination', project], { cwd: ROOT })
  tarball = readdirSync(project).find(name => name.endsWith('.tgz')) ?? ''
  await run('tar', ['xzf', join(project, tarball), '-C', installed, '--strip-components', '1'])
  for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) {
    const link = join(project, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), link)
  }
  writeFileSync(join(project, 'package.json'), '{"type":"module","private":true}')
})
afterAll(() => rmSync(project, { recursive: true }))

function filesBelow(folder: string): { path: string; size: number }[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return files.map(({ parentPath, name }) => {
    const path = join(parentPath, name)
    return { path, size: statSync(path).size }
  })
}

const entries = Object.keys(manifest.exports).filter(entry => entry !== './package.json')
const specifier = (entry: string) => join('derphttp', entry)

test('package: every entry can be imported', async () => {
  const code = entries.map(entry => `await import('${specifier(entry)}')`).join(';')
  const { stdout } = await run(process.execPath, ['-e', `${code};console.log('all')`], { cwd: project })
  expect(stdout).toBe('all\n')
})

test('package: types of every entry resolve, and the first example compiles', async () => {
  const imports = entries.map((entry, at) => `import * as entry${at} from '${specifier(entry)}'`)
  const uses = entries.map((_, at) => `void entry${at}`)
  const example = `
import { Client, NodePrivateKey, NodePublicKey } from 'derphttp'
const client = new Client(NodePrivateKey.generate(), 'https://relay.example/derp')
await client.connect()
console.log(\`\${client.selfPublicKey()}\`)
await client.send(NodePublicKey.parse('nodekey:'), new Uint8Array(1))
const message = await client.recv()
if (message.type === 'receivedPacket') console.log(message.source, message.data)
for await (const each of client) console.log(each.type)
await client.close()
`
  writeFileSync(join(project, 'use.ts'), `${imports.join('\n')}\n${uses.join('\n')}\n${example}`)
  const flags = ['--noEmit', '--strict', '--module', 'NodeNext', '--target', 'ES2024', '--types', 'node', 'use.ts']
  const { stdout } = await run(process.execPath, [TSC, ...flags], { cwd: project }).catch(
    (error: { stdout: string }) => error,
  )
  expect(stdout).toBe('')
})

test('package: commands run', async () => {
  for (const path of Object.values(manifest.bin)) {
    const { stdout } = await run(process.execPath, [join(project, 'node_modules/derphttp', path), '--version'])
    expect(stdout).toMatch(VERSION_LINE.node)
  }
})

test('package: reads DERP maps in YAML and in JSON with comments', async () => {
  const code = `import { parseDerpMapText } from 'derphttp/client'
const node = JSON.stringify({ Name: 'a', RegionID: 900, HostName: 'relay.test' })
const json = await parseDerpMapText('{"Regions": {"900": {"RegionID": 900, "Nodes": [' + node + ',]}}} // ours')
const yaml = await parseDerpMapText('regions:\\n  900:\\n    regionid: 900\\n    nodes: [' + node + ']')
console.log(JSON.stringify(json) === JSON.stringify(yaml), json.Regions[900].Nodes.length)`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: project })
  expect(stdout).toBe('true 1\n')
})

test('package: npm installs few packages and bytes', async () => {
  const clean = join(project, 'clean')
  mkdirSync(clean)
  writeFileSync(join(clean, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--prefer-offline', '--ignore-scripts', join(project, tarball)], { cwd: clean })
  const { packages, bytes } = installSize(clean)
  expect(existsSync(join(clean, 'node_modules/derphttp'))).toBe(true)
  expect(packages).toBeLessThanOrEqual(MOST_INSTALLED.packages)
  expect(bytes).toBeLessThan(MOST_INSTALLED.bytes)
})

test('package: derper serves from two worker threads with only the package installed', async () => {
  const derper = join(project, 'node_modules/derphttp', manifest.bin['derper'] as string)
  const flags = ['-dev', '-workers', '2', '-a', '127.0.0.1:0', '-stun-port', '0', '-c', join(project, 'derper.key')]
  const program = await startProgram(process.execPath, [derper, ...flags])
  try {
    const { address } = await served(program)
    const { status } = await fetch(`http://${address}/derp/probe`)
    expect(status).toBe(200)
  } finally {
    await program.stop()
  }
})

/** Starts the installed relay, and stops it after its first log lines. */
async function logged(runtime: string, env: Record<string, string>): Promise<string> {
  const derper = join(project, 'node_modules/derphttp', manifest.bin['derper'] as string)
  const program = await startProgram(runtime, [derper, '-dev', '-a', '127.0.0.1:0', '-stun=false'], { env })
  await served(program)
  await program.stop()
  return program.stderr
}

const ADVICE = /"better":"bun".*"fix":"start it as \\"bun --bun \S+derper\.js\\", or set DERPHTTP_RUNTIME=node/g

test('package: derper on Node recommends Bun once, unless Node was chosen', async () => {
  expect((await logged(process.execPath, { DERPHTTP_RUNTIME: '' })).match(ADVICE)).toHaveLength(1)
  expect(await logged(process.execPath, { DERPHTTP_RUNTIME: 'node' })).not.toMatch(ADVICE)
  const derper = join(project, 'node_modules/derphttp', manifest.bin['derper'] as string)
  for (const flag of ['-version', '-help']) {
    const { stdout, stderr } = await run(process.execPath, [derper, flag], { env: { PATH: process.env['PATH'] } })
    expect(stdout + stderr).not.toMatch(ADVICE)
  }
})

test('package: derper on Bun recommends nothing', async () => {
  const bun = bunPath() as string
  const derper = join(project, 'node_modules/derphttp', manifest.bin['derper'] as string)
  expect((await run(bun, ['--bun', derper, '-version'])).stdout).toMatch(VERSION_LINE.bun)
  expect(await logged(bun, { DERPHTTP_RUNTIME: '' })).not.toContain('"better"')
})

test.skipIf(!hasGo)('package: derper obtains a certificate from an authority', async () => {
  const ports = { httpPort: await freePort(), tlsPort: await freePort() }
  const pebble = await Pebble.start(ports)
  const certs = join(project, 'certs')
  mkdirSync(certs)
  writeFileSync(join(certs, 'directory.pem'), pebble.directoryCa)
  const derper = join(project, 'node_modules/derphttp', manifest.bin['derper'] as string)
  const authority = ['-acme-directory', pebble.directoryUrl, '-acme-ca-file', join(certs, 'directory.pem')]
  const identity = ['-hostname', 'relay.test', '-certdir', certs, '-c', join(certs, 'derper.key')]
  const listen = ['-a', `127.0.0.1:${ports.tlsPort}`, '-tls', '-http-port', '-1', '-stun=false']
  const program = await startProgram(process.execPath, [derper, ...identity, ...authority, ...listen])
  try {
    const [, outcome] = await program.stderrMatch(/"msg":"certificate (not obtained|obtained)"/)
    expect(outcome, program.stderr).toBe('obtained')
  } finally {
    await program.stop()
    await pebble.stop()
  }
})

test.skipIf(!hasGo)('package: derper loads the NATS client only for a region, and joins it', async () => {
  const derper = join(project, 'node_modules/derphttp', manifest.bin['derper'] as string)
  const nats = await startNatsServer()
  const args = ['-dev', '-a', '127.0.0.1:0', '-stun=false', '-region', 'test', '-nats', nats.url]
  const env = { TAILSCALE_DERPER_MESH_KEY: 'ab'.repeat(32) }
  const program = await startProgram(process.execPath, [derper, ...args], { env })
  try {
    await program.stderrMatch(/"msg":"joined the region"/)
  } finally {
    await program.stop()
    await nats.stop()
  }
  const files = filesBelow(dirname(derper)).filter(({ path }) => path.endsWith('.js'))
  const holding = files.filter(({ path }) => readFileSync(path, 'utf8').includes('nats-core'))
  expect(holding.map(({ path }) => path)).not.toContain(derper)
})

test('package: has the licences of what it bundles', () => {
  const licences = readFileSync(join(project, 'node_modules/derphttp/dist/LICENSES.txt'), 'utf8')
  const bundled = [
    'acme-client',
    'axios',
    'pino',
    'commander',
    'yargs-parser',
    'yaml',
    'jsonc-parser',
    'uplot',
    '@noble/curves',
  ]
  for (const name of bundled) expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+`, 'm'))
})

/** The machine's own, too old Node, if any: the tests' Node precedes it on the PATH. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map(folder => join(folder, 'node'))
  .find(path => existsSync(path) && runtimeProblem({ node: versionOf(path) }) !== undefined)

function versionOf(path: string): string {
  return execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
}

test.skipIf(oldNode === undefined)(
  `package: each command and entry reports an old Node in one line${oldNode === undefined ? ' (no old Node found)' : ''}`,
  async () => {
    const failureOf = (...args: string[]) =>
      run(oldNode ?? '', args, { cwd: project }).catch((error: { code: number; stderr: string }) => error)
    for (const [name, path] of Object.entries(manifest.bin)) {
      const said = new RegExp(`^${name}: Node\\.js 24\\.11 or newer is needed, this is [\\d.]+: .*\\n$`)
      const failure = await failureOf(join(project, 'node_modules/derphttp', path), '-version')
      expect(failure).toMatchObject({ code: 2, stderr: expect.stringMatching(said) })
    }
    for (const entry of entries) {
      const code = `import('${specifier(entry)}').catch(error => { console.error(error.stack); process.exit(3) })`
      expect(await failureOf('-e', code)).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/^load derphttp: Node\.js 24\.11 or newer is needed, .*\n$/),
      })
    }
  },
)

test('package: has the modules that its entries and commands load, their maps and types, and nothing else', () => {
  const own = join(project, 'node_modules/derphttp')
  const built = filesBelow(join(own, 'dist')).map(({ path }) => path)
  const others = ['dist/LICENSES.txt', ...manifest.man]
  const expected = [...loadedFiles(own), ...others.map(path => join(own, path))]
  expect(built.toSorted()).toEqual(expected.toSorted())
  // Small files that only pass on what others have need no map.
  const isCode = (path: string) => path.endsWith('.js') && statSync(path).size > 8_192
  expect(built.filter(path => isCode(path) && !built.includes(`${path}.map`))).toEqual([])
})

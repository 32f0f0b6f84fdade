/** The executables of `npm run build:binary`. */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BareRoot, canChangeRoot } from '../support/bare-root.ts'
import { hasGo } from '../support/go-tools.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { hasOpenssl, seenChain } from '../support/openssl.ts'
import { Pebble } from '../support/pebble.ts'
import type { Program } from '../support/process.ts'
import { freePort } from '../support/relays.ts'
import { served } from '../support/served.ts'
import { StockClients } from '../support/stock-client.ts'
import { TestCa } from '../support/test-ca.ts'
import { VERSION_LINE } from '../support/version-line.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const TARGET = `linux-${process.arch}`

let folder: string
let derper: string
const build = (out: string) => run('node', ['scripts/build-binary.ts', '--target', TARGET, '--out', out], { cwd: ROOT })
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'single-file-'))
  derper = join(folder, `derper-${TARGET}`)
  await build(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

const sumOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

test('build:binary is reproducible, and writes checksums', async () => {
  const sum = sumOf(derper)
  const names = ['derper', 'derp', 'derpprobe'].map(command => `${command}-${TARGET}`)
  expect(readFileSync(join(folder, 'SHA256SUMS'), 'utf8')).toBe(names.map(name => `${sum}  ${name}\n`).join(''))
  const again = join(folder, 'again')
  await build(again)
  expect(sumOf(join(again, `derper-${TARGET}`))).toBe(sum)
  expect(readFileSync(join(folder, 'LICENSES.txt'), 'utf8')).toMatch(/^ws \d+\.[\s\S]*MIT/m)
})

test.each([
  ['derp', 'Usage: derp '],
  ['derp-linux-x64', 'Usage: derp '],
  ['derpprobe', 'Usage of derpprobe:'],
  ['derper', 'Usage of derper:'],
  ['relay', 'Usage of derper:'],
])('the executable called %s is that command, or derper', async (name, usage) => {
  const path = join(folder, name)
  if (path !== join(folder, `derp-${TARGET}`)) symlinkSync(derper, path)
  expect((await run(path, ['--version'])).stdout).toMatch(VERSION_LINE.bun)
  expect((await run(path, ['--help'])).stdout).toContain(usage)
})

test('the executable starts itself for the processes of derp bench', async () => {
  const path = join(folder, 'derp-linked')
  symlinkSync(derper, path)
  await using relay = await ListeningRelay.start()
  const load = ['--processes', '2', '--pairs', '2', '--rate', '100', '--duration', '100ms', '--warmup', '1ms', '--json']
  const { stdout } = await run(path, ['bench', ...load, `http://127.0.0.1:${relay.port}`])
  expect(JSON.parse(stdout)).toMatchObject({ processes: 2, pairs: { connected: 2 } })
})

test('the executable ignores files in its working directory', async () => {
  writeFileSync(join(folder, '.env'), 'DERPER_LOG_LEVEL=nonsense\n')
  writeFileSync(join(folder, 'bunfig.toml'), 'preload = ["./nothing-there.ts"]\n')
  const { stdout } = await run(derper, ['check-config', '-dev'], { cwd: folder })
  expect(stdout).toContain('derper would run with this configuration')
})

describe.skipIf(!canChangeRoot || !hasGo || !hasOpenssl)('the executable in a root with glibc and /proc alone', () => {
  let root: BareRoot
  let program: Program | undefined
  beforeAll(() => {
    root = new BareRoot()
    root.add(derper, 'derper')
  })
  afterEach(async () => {
    await program?.stop()
    program = undefined
  })
  afterAll(() => root[Symbol.dispose]())

  test('relays over TLS between stock clients, with two workers', async () => {
    const ca = await TestCa.create()
    const { certificate, key } = await ca.issue({ dns: ['localhost'] })
    const certs = root.folder('certs')
    writeFileSync(join(certs, 'localhost.crt'), certificate)
    writeFileSync(join(certs, 'localhost.key'), key)
    const caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, ca.certificate)
    const port = await freePort()
    const identity = ['-hostname', 'localhost', '-certmode', 'manual', '-certdir', '/certs', '-c', '/certs/derper.key']
    const listen = ['-a', `127.0.0.1:${port}`, '-http-port', '-1', '-stun=false', '-workers', '2']
    program = await root.start('derper', ...identity, ...listen)
    await served(program)
    const clients = await StockClients.start({ SSL_CERT_FILE: caFile })
    try {
      const keys: string[] = []
      for (const name of ['a', 'b', 'c', 'd']) {
        const url = `https://localhost:${port}/derp`
        keys.push(await clients.login(name, { url }))
      }
      for (const [at, to] of keys.entries()) {
        if (at === 0) continue
        await clients.ask('send', 'a', { to, dataBase64: 'aGVsbG8=' })
        const name = ['a', 'b', 'c', 'd'][at] as string
        const packet = await clients.event(name, line => line.type === 'receivedPacket')
        expect(packet).toMatchObject({ source: keys[0], dataBase64: 'aGVsbG8=' })
      }
    } finally {
      await clients.stop()
    }
    program.child.kill('SIGTERM')
    expect(await program.exit()).toBe(0)
  })

  test('gets a certificate from an authority, over TLS', async () => {
    const ports = { httpPort: await freePort(), tlsPort: await freePort() }
    const pebble = await Pebble.start(ports)
    try {
      const certs = root.folder('acme')
      writeFileSync(join(certs, 'directory.pem'), pebble.directoryCa)
      const rootFile = join(folder, 'root.pem')
      writeFileSync(rootFile, await pebble.rootCertificate())
      const authority = ['-acme-directory', pebble.directoryUrl, '-acme-ca-file', '/acme/directory.pem']
      const identity = ['-hostname', 'relay.test', '-certdir', '/acme', '-c', '/acme/derper.key']
      const listen = ['-a', `127.0.0.1:${ports.tlsPort}`, '-tls', '-http-port', '-1', '-stun=false']
      program = await root.start('derper', ...identity, ...authority, ...listen)
      await program.stderrMatch(/"msg":"certificate obtained"/)
      const { verified } = await seenChain(ports.tlsPort, rootFile, 'relay.test')
      expect(verified).toBe('0 (ok)')
    } finally {
      await pebble.stop()
    }
  })
})

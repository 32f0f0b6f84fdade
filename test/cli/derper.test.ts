import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { stunBinding } from '../../src/entries/stun.ts'
import { Target } from '../conformance/target.ts'
import { commandPath, sourcePath } from '../support/commands.ts'
import { type Program, startProgram } from '../support/process.ts'
import { RUNTIME_NAME, RUNTIME_PATH } from '../support/runtime.ts'
import { portOf, served } from '../support/served.ts'
import { VERSION_LINE } from '../support/version-line.ts'

const DERPER = commandPath('derper')

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-cli-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const derper = (...args: string[]): Promise<Program> => startProgram(RUNTIME_PATH, [DERPER, ...args])

const urlAt = (address: string) => `http://${address}/derp`

async function refused(...args: string[]): Promise<string> {
  const program = await derper(...args)
  expect(await program.exit()).toBe(2)
  return program.stderr
}

test('derper -dev in a checkout serves on loopback with a new key, STUN and the demo, and prints a command to try', async () => {
  const flags = ['-dev', '-a', '127.0.0.1:0', '-stun-port=0']
  const program = await startProgram(RUNTIME_PATH, [sourcePath('derper'), ...flags])
  const { address, relay: key, stun } = await served(program)
  const url = urlAt(address)
  await program.stderrMatch(new RegExp(`"command":"npm run -s derp -- cat ${url}"`))
  expect(await stunBinding({ host: '127.0.0.1', port: portOf(stun) })).toMatchObject({ address: '127.0.0.1' })
  const client = new Client(NodePrivateKey.generate(), url)
  await client.connect()
  expect(String(client.serverPublicKey())).toBe(key)
  expect(await (await fetch(new URL('/demo', url))).text()).toContain('Two tabs')
  await client.close()
  await program.stop()
  expect(await program.exit()).toBe(0)
})

test.each([
  ['', 200, undefined, /It works.*900a/s],
  ['blank', 200, undefined, /^$/],
  ['404', 404, undefined, /^404 page not found\n$/],
  ['https://relay.test/about', 302, 'https://relay.test/about', /relay\.test/],
])('derper -home "%s" sets the page at / (P-163, P-169)', async (home, status, location, text) => {
  const program = await derper('-dev', '-a', '127.0.0.1:0', '-stun=false', '-home', home)
  const url = urlAt((await served(program)).address)
  const response = await fetch(new URL('/', url), { redirect: 'manual' })
  expect([response.status, response.headers.get('location') ?? undefined]).toEqual([status, location])
  expect(await response.text()).toMatch(text)
  await program.stop()
})

test('derper exits on SIGINT and SIGTERM with code 0, and disconnects its clients', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const program = await derper('-dev', '-a', '127.0.0.1:0', '-stun=false')
    const url = urlAt((await served(program)).address)
    const client = new Client(NodePrivateKey.generate(), url)
    expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
    program.child.kill(signal)
    if (signal === 'SIGTERM') expect(await client.recv()).toMatchObject({ type: 'serverRestarting' })
    await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
    expect(await program.exit()).toBe(0)
    await client.close()
  }
})

test('derper creates a key file with mode 0600, logs the new identity, and reuses it', async () => {
  const file = join(directory, 'new', 'derper.key')
  const keys: (string | undefined)[] = []
  const logs: string[] = []
  for (let run = 0; run < 2; run++) {
    const program = await derper('-a', '127.0.0.1:0', '-c', file, '-stun=false')
    keys.push((await served(program)).relay)
    await program.stop()
    logs.push(program.stderr)
  }
  expect(keys[0]).toBe(keys[1])
  const told = logs[0]?.split('\n').find(line => line.includes('a new identity'))
  expect(told).toContain(file)
  expect(told).toContain(keys[0])
  expect(logs[1]).not.toContain('identity')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const stored: { PrivateKey: string } = JSON.parse(readFileSync(file, 'utf8'))
  expect(String(NodePrivateKey.parse(stored.PrivateKey).publicKey())).toBe(keys[0])
})

test.each([
  ['not JSON', 'privkey', 'not JSON'],
  ['no key in it', '{}', '"PrivateKey" is not a string'],
  ['a public key', `{"PrivateKey":"nodekey:${'1'.repeat(64)}"}`, 'does not begin with privkey:'],
  ['a short key', '{"PrivateKey":"privkey:12"}', 'hex digits'],
  ['the zero key', `{"PrivateKey":"privkey:${'0'.repeat(64)}"}`, 'the key is zero'],
])('derper refuses a key file with %s, names the remedy, and does not change it', async (_, text, reason) => {
  const file = join(directory, 'bad.key')
  writeFileSync(file, text)
  const message = await refused('-a', '127.0.0.1:0', '-stun=false', '-c', file)
  expect(message.trimEnd().split('\n')).toHaveLength(1)
  expect(message).toContain(`derper: parse key file ${file}: `)
  expect(message).toContain(reason)
  expect(message).toContain('restore it from a backup, or move it away')
  expect(readFileSync(file, 'utf8')).toBe(text)
})

const MAKE_ONE = 'generate one for all relays of the region, such as with openssl rand -hex 32'

test.each([
  ['of other digits', 'A'.repeat(64), 'parse mesh key of 64 characters: must be exactly 64 lowercase hex digits'],
  ['that is too long', 'a'.repeat(65), 'parse mesh key of 65 characters: must be exactly 64 lowercase hex digits'],
  ['that is empty', ' \n', 'parse mesh key of 0 characters: must be exactly 64 lowercase hex digits'],
])('derper refuses a mesh key file with a key %s, and does not show it (P-023)', async (_, text, reason) => {
  const file = join(directory, 'bad-mesh.key')
  writeFileSync(file, text)
  const message = await refused(
    '-a',
    '127.0.0.1:0',
    '-stun=false',
    '-c',
    join(directory, 'mesh-test.key'),
    '-mesh-psk-file',
    file,
  )
  expect(message).toBe(`derper: set flag -mesh-psk-file to "${file}": ${reason}; ${MAKE_ONE}\n`)
})

test('derper refuses a missing mesh key file before creating a key file', async () => {
  const [file, keyFile] = [join(directory, 'no-mesh.key'), join(directory, 'not-made.key')]
  const message = await refused('-a', '127.0.0.1:0', '-stun=false', '-c', keyFile, '-mesh-psk-file', file)
  expect(message).toMatch(/^derper: set flag -mesh-psk-file to ".*no-mesh\.key": no such file; name a readable file\n$/)
  expect(existsSync(keyFile)).toBe(false)
})

test('derper reads its mesh key from a file, and in development mode from the environment (P-023)', async () => {
  const [meshKey, other] = ['0123456789abcdef'.repeat(4), 'f'.repeat(64)]
  const [file, keyFile] = [join(directory, 'mesh.key'), join(directory, 'with-mesh.key')]
  writeFileSync(file, ` ${meshKey}\n`)
  const env = { TAILSCALE_DERPER_MESH_KEY: meshKey }
  const watches = async (args: string[], programEnv: Record<string, string>, key: string): Promise<boolean> => {
    const common = [DERPER, '-a', '127.0.0.1:0', '-stun=false']
    const program = await startProgram(RUNTIME_PATH, [...common, ...args], { env: programEnv })
    const target = new Target({
      url: urlAt((await served(program)).address),
      carriage: 'raw',
      like: 'ours',
      meshKey: key,
    })
    const client = await target.mesh()
    client.send({ type: 'watchConns' })
    const present = await client.messageOf('peerPresent').then(
      () => true,
      () => false,
    )
    target.closeAll()
    await program.stop()
    return present
  }
  expect(await watches(['-c', keyFile, '-mesh-psk-file', file], {}, meshKey)).toBe(true)
  expect(await watches(['-c', keyFile, '-mesh-psk-file', file], {}, other)).toBe(false)
  expect(await watches(['-dev'], env, meshKey)).toBe(true)
  expect(await watches(['-c', keyFile], env, meshKey)).toBe(false)
})

test('derper -dev refuses a malformed mesh key in the environment, and does not show it (P-023)', async () => {
  const env = { TAILSCALE_DERPER_MESH_KEY: 'secret' }
  const program = await startProgram(RUNTIME_PATH, [DERPER, '-dev', '-a', '127.0.0.1:0'], { env })
  expect(await program.exit()).toBe(2)
  expect(program.stderr).toBe(
    `derper: read mesh key from TAILSCALE_DERPER_MESH_KEY: parse mesh key of 6 characters: must be exactly 64 lowercase hex digits; ${MAKE_ONE}\n`,
  )
})

test('derper refuses invalid flags with one line that names them', async () => {
  expect(await refused('-bogus')).toBe('derper: read flag -bogus: no such flag; -help lists them\n')
  expect(await refused('-stun=maybe')).toBe('derper: set flag -stun to "maybe": not true or false\n')
  expect(await refused('-dev', '-a', 'localhost')).toContain('set flag -a to "localhost": not in the form')
  expect(await refused('-dev', '-stun-port', 'x')).toContain('set flag -stun-port to "x": not a whole number')
  expect(await refused('-dev', '-home', 'yes')).toContain('set flag -home to "yes"')
  expect(await refused('extra')).toContain('read argument "extra"')
  expect(await refused('checkconfig')).toContain('did you mean check-config?')
  expect(await refused('-stunport=3479')).toContain('did you mean -stun-port?')
})

test('derper refuses a port in use', async () => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  expect(await refused('-dev', '-a', `127.0.0.1:${port}`)).toContain(`listen on -a 127.0.0.1:${port}: `)
  taken.close()
})

test('derper prints its version, commit and runtime, and its flags', async () => {
  const version = await derper('-version')
  expect(await version.lineWhere(line => line)).toMatch(VERSION_LINE[RUNTIME_NAME])
  const help = await derper('-help')
  await help.lineWhere(line => (line === 'Usage of derper:' ? line : undefined))
  expect(await help.exit()).toBe(0)
  expect(existsSync(join(directory, 'derper.key'))).toBe(false)
})

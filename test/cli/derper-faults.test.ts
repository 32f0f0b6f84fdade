import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { canMount, FULL_DISK, inMounts, READ_ONLY_DISK } from '../support/mounted.ts'
import { type Program, startProgram } from '../support/process.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'

const DERPER = commandPath('derper')
const LISTEN = ['-a', '127.0.0.1:0', '-stun=false']

const folder = mkdtempSync(join(tmpdir(), 'derper-faults-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A folder of the test. */
function folderOf(name: string): string {
  return mkdtempSync(join(folder, `${name}-`))
}

/** Starts our relay where a shell has mounted something. */
function derper(commands: string, place: string, flags: readonly string[]): Promise<Program> {
  return startProgram('unshare', [...inMounts(commands, place), RUNTIME_PATH, DERPER, ...LISTEN, ...flags])
}

function write(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

test.skipIf(!canMount).each([
  ['full', FULL_DISK, 'ENOSPC: no space left on device'],
  ['read-only', READ_ONLY_DISK, 'EROFS: read-only file system'],
])('derper on a %s disk does not start without its key, and says why', async (name, commands, reason) => {
  const place = folderOf(name)
  const listed = `${commands}; trap 'ls -A "$0" >&2' EXIT; "$@"; exit $?`
  const program = await derper(listed, place, ['-http-port', '-1', '-c', join(place, 'derper.key')])
  expect(await program.exit()).toBe(2)
  const [line = '', ...left] = program.stderr.trim().split('\n')
  expect(line).toContain(`derper: create key file ${join(place, 'derper.key')}: ${reason}`)
  expect(line).toContain('name a file in a writable directory with -c')
  // Nothing is left of the key, not even a part.
  expect(left.filter(file => file !== 'filler')).toEqual([])
})

test.skipIf(!canMount)('check-config says that the disk is read-only before derper has to', async () => {
  const place = folderOf('checked')
  const checked = [RUNTIME_PATH, DERPER, 'check-config', ...LISTEN, '-c', join(place, 'derper.key')]
  const program = await startProgram('unshare', [...inMounts(READ_ONLY_DISK, place), ...checked])
  expect(await program.exit()).toBe(2)
  const reason = `EROFS: read-only file system, access '${place}'; name a file in a writable directory with -c`
  expect(program.stderr).toBe(`derper: create key file ${join(place, 'derper.key')}: ${reason}\n`)
})

test.skipIf(!canMount)('derper with its key and lists on a read-only disk serves, and reloads them', async () => {
  const place = folderOf('serves')
  const client = NodePrivateKey.generate()
  const key = write(join(place, 'derper.key'), JSON.stringify({ PrivateKey: NodePrivateKey.generate().exportText() }))
  const list = write(join(place, 'allowed'), `${client.publicKey()}\n`)
  const program = await derper(READ_ONLY_DISK, place, ['-c', key, '-allow-keys-file', list])
  const { port } = await served(program)
  const target = new Target({ url: `http://127.0.0.1:${port}/derp`, carriage: 'raw', like: 'ours' })
  const welcome = await target.login({ privateKey: client })
  // The disk is written from elsewhere.
  renameSync(write(join(place, 'next'), `${NodePrivateKey.generate().publicKey()}\n`), list)
  program.child.kill('SIGHUP')
  await welcome.closed()
  expect(readdirSync(place).toSorted()).toEqual(['allowed', 'derper.key'])
  target.closeAll()
  await program.stop()
})

test.skipIf(!canMount)('derper serves and reloads while the name server does not answer', async () => {
  const place = folderOf('names')
  const nameServer = createSocket('udp4')
  const asked = new Set<string>()
  nameServer.on('message', query => asked.add(query.subarray(13, 13 + (query[12] ?? 0)).toString('latin1')))
  nameServer.bind(53, '127.0.0.153')
  await once(nameServer, 'listening')
  const client = NodePrivateKey.generate()
  const list = write(join(place, 'denied'), '')
  const silent = 'mount --bind "$0/resolv.conf" /etc/resolv.conf'
  write(join(place, 'resolv.conf'), 'nameserver 127.0.0.153\noptions timeout:30 attempts:3\n')
  const hosts = Array.from({ length: 8 }, (_, n) => `relay${n}.test`)
  const mesh = ['-mesh-psk-file', write(join(place, 'mesh.key'), 'ab'.repeat(32))]
  const names = ['-bootstrap-dns-names', 'one.test,two.test', '-mesh-with', hosts.join(',')]
  const program = await derper(silent, place, ['-dev', ...mesh, ...names, '-deny-keys-file', list])
  const { port } = await served(program)
  await expect.poll(() => asked.size).toBeGreaterThan(1)
  const target = new Target({ url: `http://127.0.0.1:${port}/derp`, carriage: 'raw', like: 'ours' })
  const [a, b] = [await target.login({ privateKey: client }), await target.login()]
  b.packet(a.publicKey, 'while names are awaited')
  await a.messageOf('receivedPacket')
  renameSync(write(join(place, 'next'), `${client.publicKey()}\n`), list)
  program.child.kill('SIGHUP')
  await a.closed()
  await b.sync()
  target.closeAll()
  await program.stop()
  nameServer.close()
})

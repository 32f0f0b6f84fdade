import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { startProgram } from '../support/process.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'

const DERPER = commandPath('derper')
const CONTENT = 'the content of a packet'
const MESH_KEY = 'cd'.repeat(32)
const TOKENS = { client: 'token-of-a-client-1234', metrics: 'token-of-metrics-1234', status: 'token-of-status-1234' }

const folder = mkdtempSync(join(tmpdir(), 'derper-privacy-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

test.each([
  ['info', false],
  ['debug', true],
])('derper logs no content and no secret, and whole keys of clients at -log-level %s: %s', async (level, whole) => {
  const relayKey = NodePrivateKey.generate()
  const [known, denied] = [NodePrivateKey.generate(), NodePrivateKey.generate()]
  const secrets = [
    '-tokens-file',
    file('tokens', `visitor ${TOKENS.client}\n`),
    '-status-token-file',
    file('status', TOKENS.status),
    '-mesh-psk-file',
    file('mesh', MESH_KEY),
    '-c',
    file('key', JSON.stringify({ PrivateKey: relayKey.exportText() })),
  ]
  const serving = [DERPER, '-a', '127.0.0.1:0', '-stun=false', '-log-level', level, ...secrets]
  const lists = ['-allow-keys-file', file('keys', `${known.publicKey()}\n`)]
  const metrics = ['-metrics-addr', '127.0.0.1:0', `-metrics-token=${TOKENS.metrics}`]
  const program = await startProgram(RUNTIME_PATH, [...serving, ...lists, ...metrics])
  const { port } = await served(program)
  const target = new Target({ url: `http://127.0.0.1:${port}/derp`, carriage: 'raw', like: 'ours', debug: true })
  const client = await target.login({ privateKey: known })
  client.packet(client.publicKey, CONTENT)
  await client.messageOf('receivedPacket')
  await expect(target.login({ privateKey: denied })).rejects.toThrow()
  const meshPeer = await target.login({ info: { meshKey: MESH_KEY } })
  meshPeer.send({ type: 'watchConns' })
  await meshPeer.messageOf('peerPresent')
  const pages = JSON.stringify(await target.vars())
  target.closeAll()
  await program.stop()

  const said = program.stderr + pages
  expect(said).toContain(denied.publicKey().shortString())
  for (const secret of [CONTENT, MESH_KEY, ...Object.values(TOKENS), relayKey.exportText().slice('privkey:'.length)]) {
    expect(said).not.toContain(secret)
  }
  const keys = [known, denied].map(key => said.includes(key.publicKey().toHex()))
  expect(keys).toEqual([whole, whole])
})

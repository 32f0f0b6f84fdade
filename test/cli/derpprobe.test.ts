import { once as onceOf } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../../src/cli/derpprobe/derpprobe.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { AdmissionGate } from '../../src/server/ports.ts'
import { commandPath } from '../support/commands.ts'
import { MESH_KEY, ProbeScene } from '../support/probe-scene.ts'
import { type Program, startProgram } from '../support/process.ts'
import { testIo } from '../support/test-io.ts'
import { VERSION_LINE } from '../support/version-line.ts'

const DERPPROBE = commandPath('derpprobe')
const DAY_MS = 24 * 3_600_000

let scene: ProbeScene
let map: string

const derpprobe = (args: readonly string[], env: Record<string, string> = {}): Promise<Program> =>
  startProgram(process.execPath, [DERPPROBE, '-spread=false', '-log-level', 'error', ...args], { env })

/** So long that the limits of probes, a share of them, decide nothing on a busy machine. */
const LONG = ['tls', 'stun', 'mesh'].flatMap(kind => [`-${kind}-interval`, '200s'])

/** Runs it once on the scene's map; gives exit code and the lines of its output. */
async function once(args: readonly string[], env: Record<string, string> = {}) {
  const program = await derpprobe(['-once', '-derp-map', map, '-ca', scene.caFile, ...LONG, ...args], env)
  const code = await program.exit()
  return { code, lines: program.stdout.trimEnd().split('\n'), stderr: program.stderr }
}

beforeAll(async () => {
  scene = await ProbeScene.create()
  const [a, b] = await scene.startMeshedRelays()
  await scene.addRegion('meshed', [{ DERPPort: a.port }, { DERPPort: b.port }])
  map = scene.writeMap()
})
afterAll(async () => scene?.[Symbol.asyncDispose]())

describe('derpprobe -once', () => {
  test('prints good probes with their latencies and exits with 0 when none is bad', async () => {
    const { code, lines, stderr } = await once([])
    const good = lines.filter(line => line.startsWith('good: '))
    expect([code, stderr]).toEqual([0, ''])
    expect(good.map(line => /^good: (\S+): [\d.]+m?s$/.exec(line)?.[1])).toEqual([
      'derp/meshed/1a/1a/mesh',
      'derp/meshed/1a/1b/mesh',
      'derp/meshed/1a/tls',
      'derp/meshed/1a/udp',
      'derp/meshed/1b/1a/mesh',
      'derp/meshed/1b/1b/mesh',
      'derp/meshed/1b/tls',
      'derp/meshed/1b/udp',
      'derpmap-probe',
    ])
    expect(lines.slice(good.length)).toEqual([
      'note: derp/meshed/1a/tls: revocation not checked: the certificate names neither a CRL nor an OCSP server',
      'note: derp/meshed/1b/tls: revocation not checked: the certificate names neither a CRL nor an OCSP server',
    ])
  })

  test('prints bad probes with their errors and exits with 1', async () => {
    const { code, lines } = await once(['-derp-map', join(scene.directory, 'nothing.json')])
    expect([code, lines]).toEqual([1, [expect.stringMatching(/^bad: derpmap-probe: read DERP map .*: ENOENT/)]])
  })

  test('probes what the flags name, and reads flags from the environment', async () => {
    const kinds = ['-tls-interval', '0', '-stun-interval', '0', '-mesh-interval', '0', '-bw-interval', '200s']
    const { code, lines } = await once([...kinds, '-bw-probe-size-bytes', '200000'], { DERPPROBE_REGION_CODE: '1' })
    expect(code).toBe(0)
    expect(lines.filter(line => /^good: derp\/meshed\/1[ab]\/1[ab]\/bw: /.test(line))).toHaveLength(4)
    expect(lines.filter(line => /^note: .*Mbit\/s$/.test(line))).toHaveLength(4)
    const none = await once([...kinds, '-region-code', 'elsewhere'])
    expect(none).toMatchObject({
      code: 1,
      lines: [expect.stringMatching(/^bad: derpmap-probe: find region elsewhere: /)],
    })
  })

  test('measures queuing delay for some seconds with -qd-packets-per-second and -qd-packet-timeout', async () => {
    const kinds = ['-tls-interval', '0', '-stun-interval', '0', '-mesh-interval', '0']
    const { code, lines } = await once([...kinds, '-qd-packets-per-second', '50', '-qd-packet-timeout', '2s'])
    expect(code).toBe(0)
    expect(lines.filter(line => /^note: derp\/meshed\/1[ab]\/1[ab]\/qd: 2\d\d packets: mean /.test(line))).toHaveLength(
      4,
    )
  })

  test('-format json and -format junit say the same', async () => {
    const json = await once(['-format', 'json', '-mesh-interval', '0'])
    const report = JSON.parse(json.lines.join('\n')) as { probes: { name: string; result: string }[] }
    expect(report).toMatchObject({ version: 1, map, good: 5, bad: 0 })
    expect(report.probes.map(({ name, result }) => `${result} ${name}`)).toContain('good derp/meshed/1a/tls')
    const junit = await once(['-format', 'junit', '-mesh-interval', '0', '-ca', ''])
    expect(junit.code).toBe(1)
    expect(junit.lines.join('\n')).toMatch(/<testsuite name="derpprobe" tests="5" failures="2"/)
    expect(junit.lines.join('\n')).toMatch(
      /<testcase name="derp\/meshed\/1a\/tls" .*>\n\s+<failure message="[^"]*authority/,
    )
  })

  test('-key-file gives both ends keys that stay, and their probes take turns', async () => {
    const files = ['sender.key', 'receiver.key'].map(name => join(scene.directory, name))
    const args = ['-key-file', files.join(','), '-tls-interval', '0', '-stun-interval', '0']
    const first = await once([...args, '-log-level', 'info'])
    expect(first.code).toBe(0)
    const keyOf = (file = '') => {
      const { PrivateKey } = JSON.parse(readFileSync(file, 'utf8')) as { PrivateKey: string }
      return NodePrivateKey.parse(PrivateKey).publicKey().toString()
    }
    expect(first.stderr).toContain(`"sender":"${keyOf(files[0])}","receiver":"${keyOf(files[1])}"`)
    expect((await once(args)).code).toBe(0)
  })

  test('-mesh-psk-file and, in development, the environment give the mesh key', async () => {
    const wrong = join(scene.directory, 'wrong.key')
    writeFileSync(wrong, 'no key')
    expect(await once(['-mesh-psk-file', wrong])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`set flag -mesh-psk-file to "${wrong}"`),
    })
    expect(await once(['-dev'], { TAILSCALE_DERPER_MESH_KEY: 'no key' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('read mesh key from TAILSCALE_DERPER_MESH_KEY'),
    })
  })
})

test('derpprobe serves its pages until it is ended, and says where', async () => {
  const program = await derpprobe(['-listen', '127.0.0.1:0', '-derp-map', map, '-ca', scene.caFile, ...LONG])
  const address = await program.lineWhere(line => /^derpprobe: serving on (.*)$/.exec(line)?.[1])
  const get = async (path: string) => {
    const response = await fetch(`http://${address}${path}`)
    return [response.status, await response.text()] as const
  }
  expect(await get('/healthz')).toEqual([200, 'ok\n'])
  await expect.poll(() => get('/debug/varz')).toEqual([200, expect.stringContaining('name="derp/meshed/1a/1b/mesh"')])
  expect(await get('/debug/probe-run?name=derp/meshed/1a/udp')).toEqual([
    200,
    expect.stringMatching(/^Probe succeeded/),
  ])
  const [status, text] = await get(`/probe?target=localhost:${scene.map.Regions?.[1]?.Nodes[0]?.DERPPort}&stun=off`)
  expect([status, text]).toEqual([200, expect.stringMatching(/^probe_success 1$/m)])
  await program.stop('SIGTERM')
  expect(await program.exit()).toBe(0)
})

test('derpprobe tells of an address that it cannot listen on', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await onceOf(server, 'listening')
  const { port } = server.address() as AddressInfo
  const program = await derpprobe(['-listen', `127.0.0.1:${port}`, '-derp-map', map])
  expect([await program.exit(), program.stderr]).toEqual([
    2,
    expect.stringContaining(`listen on -listen 127.0.0.1:${port}`),
  ])
  server.close()
})

test.each([
  [['-bw-tun-ipv4-addr', '10.0.0.1'], 'read flag -bw-tun-ipv4-addr: needs a TUN device'],
  [['-secrets-url', 'https://setec.test'], 'read flag -secrets-url: setec servers are not supported'],
  [['-secrets-path-prefix', 'x'], 'read flag -secrets-path-prefix: setec'],
  [['-secrets-cache-dir', '/tmp/x'], 'read flag -secrets-cache-dir: setec'],
  [['-format', 'xml'], 'set flag -format to "xml": not one of text, json, junit'],
  [['-key-file', 'a.key'], 'set flag -key-file to "a.key": not two different files'],
  [['-interval', '0'], 'set flag -interval to "0s": without the DERP map nothing is probed'],
  [['-tls-interval', '1ms'], 'set flag -tls-interval to "1ms": below 100ms'],
  [['-token', 'a b'], 'set flag -token to "…": has a space'],
  [['-debug-allow', '10.0.0.0/99'], 'set flag -debug-allow to "10.0.0.0/99"'],
  [['-listen', 'nowhere'], 'set flag -listen to "nowhere"'],
  [['-log-level', 'loud'], 'set flag -log-level to "loud"'],
])('derpprobe %j is refused with the reason', async (args, reason) => {
  const io = testIo()
  expect(await main(args, io)).toBe(2)
  expect(io.stderr).toContain(`derpprobe: ${reason}`)
})

test('derpprobe -version prints the version, -help all flags', async () => {
  const [version, help] = [testIo(), testIo()]
  expect([await main(['-version'], version), version.stdout]).toEqual([0, expect.stringMatching(VERSION_LINE.node)])
  expect(await main(['-help'], help)).toBe(0)
  expect(help.stdout).toMatch(/^ {2}-listen string\n\t.*\(default ":8030"\)$/m)
})

test('probes log in with -token or -mesh-psk-file where clients are admitted by token', async () => {
  const token = 'a-token-of-sixteen-characters'
  const admission: AdmissionGate = {
    admit: async request => (request.token === token ? { admit: true } : { admit: false, reason: 'unknown token' }),
  }
  await using own = await ProbeScene.create()
  const relay = await own.startRelay({}, { admission, meshKey: MeshKey.parse(MESH_KEY) })
  await own.addRegion('token', [{ DERPPort: relay.port }])
  const args = ['-once', '-derp-map', own.writeMap(), '-ca', own.caFile, ...LONG]
  const with_ = await derpprobe([...args, '-token', token])
  expect([await with_.exit(), with_.stdout]).toEqual([0, expect.stringContaining('good: derp/token/1a/1a/mesh')])
  const psk = join(own.directory, 'mesh.key')
  writeFileSync(psk, MESH_KEY)
  const asPeer = await derpprobe([...args, '-mesh-psk-file', psk])
  expect([await asPeer.exit(), asPeer.stdout]).toEqual([0, expect.stringContaining('good: derp/token/1a/1a/mesh')])
  const without = await derpprobe(args)
  expect(await without.exit()).toBe(1)
  expect(without.stdout).toMatch(
    /^bad: derp\/token\/1a\/1a\/mesh: log in to 1a: .*use -mesh-psk-file, -key-file or -token$/m,
  )
})

test('derpprobe tells of an expired certificate, one that soon is, and one that is revoked', async () => {
  await using own = await ProbeScene.create()
  const crl = await own.serve(() => own.ca.revocationList(['1002']))
  const relays = {
    expired: await own.startRelay({ notAfter: new Date(Date.now() - DAY_MS) }),
    soon: await own.startRelay({ notAfter: new Date(Date.now() + 3 * DAY_MS) }),
    revoked: await own.startRelay({ crl, serial: '1002' }),
    listed: await own.startRelay({ crl, serial: '1001' }),
  }
  for (const [code, { port }] of Object.entries(relays)) await own.addRegion(code, [{ DERPPort: port, STUNPort: -1 }])
  const flags = ['-derp-map', own.writeMap(), '-ca', own.caFile, ...LONG, '-mesh-interval', '0']
  const program = await derpprobe(['-once', ...flags])
  expect(await program.exit()).toBe(1)
  const lines = program.stdout.trimEnd().split('\n')
  expect(lines).toEqual([
    expect.stringMatching(/^good: derp\/listed\/4a\/tls: /),
    expect.stringMatching(/^good: derpmap-probe: /),
    expect.stringMatching(/^bad: derp\/expired\/1a\/tls: .*the certificate has expired/),
    expect.stringMatching(/^bad: derp\/revoked\/3a\/tls: .*it was revoked on .*\(key compromised\)/),
    expect.stringMatching(/^bad: derp\/soon\/2a\/tls: .*expires in 3\.0 days/),
  ])
})

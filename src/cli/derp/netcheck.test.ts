import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ListeningRelay } from '../../../test/support/listening-relay.ts'
import { TestCa } from '../../../test/support/test-ca.ts'
import { testIo } from '../../../test/support/test-io.ts'
import { nodeNetcheck } from '../../netcheck/node-platform.ts'
import { createStunServer, type StunServer } from '../../stun/server.ts'
import { main } from './derp.ts'
import { goDuration } from './netcheck/report-text.ts'
import { latencyLine } from './netcheck/watch-text.ts'

const directory = mkdtempSync(join(tmpdir(), 'derp-netcheck-'))
const caFile = join(directory, 'ca.pem')
const mapFile = join(directory, 'map.json')
let relay: ListeningRelay
let stun: StunServer
let stunPort: number

beforeAll(async () => {
  const ca = await TestCa.create()
  writeFileSync(caFile, ca.certificate)
  relay = await ListeningRelay.start({
    tls: { hostname: '127.0.0.1', certificate: await ca.issue({ ips: ['127.0.0.1'] }) },
  })
  stun = createStunServer({ port: 0, host: '127.0.0.1' })
  const { port } = await stun.listen()
  stunPort = port
  const node = { HostName: '127.0.0.1', IPv4: '127.0.0.1', IPv6: 'none' }
  const regionOf = (id: number, code: string, ports: object) => ({
    RegionID: id,
    RegionCode: code,
    RegionName: `The ${code}`,
    Nodes: [{ Name: `${id}a`, RegionID: id, ...node, ...ports }],
  })
  const regions = {
    900: regionOf(900, 'lab', { DERPPort: relay.port, STUNPort: port }),
    901: regionOf(901, 'off', { DERPPort: 9, STUNPort: -1 }),
  }
  writeFileSync(mapFile, JSON.stringify({ Regions: regions }))
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  await stun?.close()
  rmSync(directory, { recursive: true })
})

async function netcheck(...args: string[]) {
  const io = testIo()
  const code = await main(['netcheck', '--ca', caFile, ...args, mapFile], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

describe('derp netcheck', () => {
  test('prints the original lines, followed by HTTPS and availability', async () => {
    const { code, stdout } = await netcheck()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\nReport:\n\t\* Time: \d{4}-/)
    expect(stdout).toMatch(/^\t\* UDP: true$/m)
    expect(stdout).toMatch(/^\t\* IPv4: yes, 127\.0\.0\.1:\d+$/m)
    expect(stdout).toMatch(/^\t\* Nearest DERP: The lab$/m)
    expect(stdout).toMatch(/^\t\* Reason: region 900 chosen: /m)
    expect(stdout).toMatch(/^\t\t- lab: [\d.]+(?:ms|µs) +\(The lab\) {2}HTTPS [\d.]+(?:ms|µs), available$/m)
    expect(stdout).toMatch(/^\t\t- off: no STUN \(The off\) {2}.*nothing listens there/m)
  })

  test('prints JSON compatible with the original, indented or on one line', async () => {
    const { stdout } = await netcheck('--format', 'json')
    expect(JSON.parse(stdout)).toMatchObject({
      UDP: true,
      PreferredDERP: 900,
      RegionAvailability: { 900: 'available' },
    })
    expect((await netcheck('--format', 'json-line')).stdout.trim().split('\n')).toHaveLength(1)
    expect((await netcheck('--format', 'xml')).code).toBe(2)
  })

  test('sends from the given address and port', async () => {
    const { stdout } = await netcheck('--bind-address', '127.0.0.3')
    expect(stdout).toMatch(/^\t\* IPv4: yes, 127\.0\.0\.3:\d+$/m)
    expect((await netcheck('--bind-address', 'eth0')).code).toBe(2)
  })

  test('rejects an address or port that it cannot bind: UDP would seem to be blocked', async () => {
    const foreign = await netcheck('--bind-address', '192.0.2.1')
    expect([foreign.code, foreign.stdout]).toEqual([2, ''])
    expect(foreign.stderr).toBe(
      'derp: use --bind-address 192.0.2.1: address not available; choose an address of this host\n',
    )
    const port = String(stunPort)
    const busy = await netcheck('--bind-address', '127.0.0.1', '--bind-port', port)
    expect([busy.code, busy.stderr]).toEqual([
      2,
      expect.stringContaining(`use --bind-address 127.0.0.1 --bind-port ${port}: address already in use; stop`),
    ])
  })

  test('has IPv4 and IPv6 sockets on the given port', async () => {
    const free = createSocket('udp4').bind(0)
    await once(free, 'listening')
    const { port } = free.address()
    free.close()
    const platform = nodeNetcheck({ bindPort: port })
    if (!(await platform.ipv6()).inSystem) return
    const v4 = await platform.openUdp(4, () => {})
    const v6 = await platform.openUdp(6, () => {})
    v4.close()
    v6.close()
  })

  test('takes no format with --watch', async () => {
    const { code, stderr } = await netcheck('--watch', '--format', 'json')
    expect([code, stderr]).toEqual([2, 'derp: use --watch: --format was given as well\n'])
  })

  test('repeats until interrupted with --every', async () => {
    const io = testIo({
      onOut: () => {
        if (io.stdout.match(/Report:/g)?.length === 2) io.interrupt()
      },
    })
    expect(await main(['netcheck', '--ca', caFile, '--every', '1ms', mapFile], io)).toBe(0)
    expect(io.stdout.match(/Report:/g)).toHaveLength(2)
  })

  test('redraws in place with --watch, and prints below the last report without a terminal', async () => {
    const run = async (columns?: number) => {
      let count = 0
      const io = testIo({
        ...(columns !== undefined && { columns }),
        onOut: () => {
          if (++count === 2) io.interrupt()
        },
      })
      await main(['netcheck', '--ca', caFile, '--watch', '--every', '1ms', mapFile], io)
      return io.stdout
    }
    const drawn = (await run(80)).replaceAll('\x1b', '<esc>')
    expect(drawn).toMatch(/^<esc>\[2K\* lab: .* \(The lab\)\n<esc>\[2K {2}off: none .*\n<esc>\[2A<esc>\[2K\* lab: /)
    expect(await run()).not.toContain('\x1b')
  })
})

test.each([
  [0.04, '0s'],
  [0.31, '300µs'],
  [1, '1ms'],
  [12.34, '12.3ms'],
  [1234.56, '1.2346s'],
])('%d ms is %s to Go', (ms, text) => {
  expect(goDuration(ms)).toBe(text)
})

test('a latency chart scales with the latencies and has gaps for missing responses', () => {
  expect(latencyLine([1, 4, undefined, 8])).toBe('▂▅·█')
  expect(latencyLine([undefined])).toBe('·')
})

/**
 * Each tool for operators as a program, on our daemon and on the stock relay. With `DERPHTTP_RUNTIME=bun`, tools and daemon
 * run on Bun.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandPath } from '../support/commands.ts'
import { hasGo } from '../support/go-tools.ts'
import { startProgram } from '../support/process.ts'
import { type RunningTlsRelay, startOurTlsRelay, startReferenceTlsRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const RELAYS = [
  ['ours', startOurTlsRelay],
  ['stock', startReferenceTlsRelay],
] as const

describe.skipIf(!hasGo).each(RELAYS)('tools on the daemon, %s', (_whose, start) => {
  const directory = mkdtempSync(join(tmpdir(), 'tools-'))
  const caFile = join(directory, 'ca.pem')
  const mapFile = join(directory, 'map.json')
  let relay: RunningTlsRelay

  beforeAll(async () => {
    relay = await start()
    writeFileSync(caFile, relay.ca)
    // It only listens on IPv4 loopback.
    const address = { HostName: 'localhost', IPv4: '127.0.0.1', IPv6: 'none' }
    const node = { Name: '900a', RegionID: 900, ...address, DERPPort: relay.port, STUNPort: relay.stunPort }
    const region = { RegionID: 900, RegionCode: 'lab', RegionName: 'Lab', Nodes: [node] }
    writeFileSync(mapFile, JSON.stringify({ Regions: { 900: region } }))
  }, 180_000)
  afterAll(async () => {
    await relay?.stop()
    rmSync(directory, { recursive: true })
  })

  async function outputOf(exitCode: number, command: 'derp' | 'derpprobe', ...args: string[]): Promise<string> {
    const tool = await startProgram(RUNTIME_PATH, [commandPath(command), ...args])
    expect(await tool.exit(), tool.stderr).toBe(exitCode)
    return tool.stdout
  }

  test('derp doctor has no complaint', async () => {
    const text = await outputOf(0, 'derp', 'doctor', '--json', '--timeout', '60s', '--ca', caFile, mapFile)
    expect(JSON.parse(text)).toMatchObject({ ok: true, exitCode: 0, relays: [{ ok: true, regionId: 900 }] })
  })

  test('derp netcheck makes it home', async () => {
    const report = JSON.parse(await outputOf(0, 'derp', 'netcheck', '--format', 'json-line', '--ca', caFile, mapFile))
    expect(report).toMatchObject({ UDP: true, PreferredDERP: 900, RegionAvailability: { 900: 'available' } })
    expect(Object.keys(report.RegionLatency)).toEqual(['900'])
  })

  test('derp map make finds its ports', async () => {
    const ports = ['--stun-port', String(relay.stunPort)]
    const args = ['map', 'make', '--for', 'json', '--ca', caFile, ...ports, `localhost:${relay.port}`]
    const [node] = JSON.parse(await outputOf(0, 'derp', ...args)).Regions[900].Nodes
    expect(node).toMatchObject({ HostName: 'localhost', DERPPort: relay.port, STUNPort: relay.stunPort })
  })

  // The test certificates are valid for one day, of which derpprobe wants seven.
  test('derpprobe finds fault with the end of its certificate alone', async () => {
    const args = ['-once', '-spread=false', '-derp-map', `file://${mapFile}`, '-ca', caFile]
    const lines = (await outputOf(1, 'derpprobe', ...args)).split('\n').filter(line => /^(?:good|bad): /.test(line))
    expect(lines.map(line => line.replace(/: [\d.]+m?s$/, '').replace(/ in .*/, ''))).toEqual([
      'good: derp/lab/900a/900a/mesh',
      'good: derp/lab/900a/udp',
      'good: derpmap-probe',
      'bad: derp/lab/900a/tls: certificate CN=test server expires',
    ])
  })
})

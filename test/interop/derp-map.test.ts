import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../../src/cli/derp/derp.ts'
import { MAP_FORMATS } from '../../src/cli/derp-map/map-formats.ts'
import { goTools, hasGo, stockDaemon } from '../support/go-tools.ts'
import { type Program, startProgram } from '../support/process.ts'
import { freePort, untilListening } from '../support/relays.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { testIo } from '../support/test-io.ts'

/** Stock reader of each format. */
const READERS = { tailscale: 'policy', headscale: 'headscale', json: 'json', yaml: 'headscale' } as const

describe.skipIf(!hasGo)('derp map make, for a stock relay with a self-signed certificate', () => {
  const directory = mkdtempSync(join(tmpdir(), 'derp-map-'))
  let relay: Program
  let port: number
  let stunPort: number

  beforeAll(async () => {
    port = await freePort()
    stunPort = await freePort()
    const listen = ['-a', `127.0.0.1:${port}`, '-http-port', '-1', '-stun-port', String(stunPort)]
    const identity = ['-c', join(directory, 'derper.key'), '-hostname', '127.0.0.1', '-certdir', directory]
    relay = await startProgram((await goTools()).derper, [...listen, ...identity, '-certmode', 'manual'])
    await untilListening(port)
  }, 180_000)
  afterAll(async () => {
    await relay?.stop()
    rmSync(directory, { recursive: true })
  })

  async function make(format: string): Promise<string> {
    const io = testIo()
    const args = ['map', 'make', '--for', format, '--stun-port', String(stunPort), '--region-code', 'made']
    expect(await main([...args, `127.0.0.1:${port}`], io)).toBe(0)
    return io.stdout
  }

  async function readByStock(reader: string, text: string): Promise<unknown> {
    const program = await startProgram((await goTools()).derpmap, [reader])
    program.child.stdin?.end(text)
    return program.lineWhere(line => JSON.parse(line) as unknown)
  }

  test.each(MAP_FORMATS)('output for %s is read by stock code as the same map', async format => {
    const map = JSON.parse(await make('json'))
    expect(await readByStock(READERS[format], await make(format))).toEqual(map)
    const [node] = map.Regions[900].Nodes
    expect(node).toMatchObject({ DERPPort: port, STUNPort: stunPort, CertName: expect.stringMatching(/^sha256-raw:/) })
  })

  test.runIf(RUNS_ALL)('a real tailscaled chooses the relay as home', async () => {
    const file = join(directory, 'map.json')
    writeFileSync(file, await make('json'))
    const { localapi } = await goTools()
    const daemon = await startProgram(localapi, [await stockDaemon(), directory, file])
    try {
      expect(await daemon.lineWhere(line => JSON.parse(line) as unknown)).toMatchObject({ home: 'made' })
      // Connected permanently.
      await expect.poll(() => homeConnections(port), { timeout: 20_000, interval: 200 }).toBe(1)
    } finally {
      await daemon.stop()
    }
  })
})

/** Clients with this relay as home, from its metrics. */
async function homeConnections(port: number): Promise<number> {
  const request = get({ host: '127.0.0.1', port, path: '/debug/varz', rejectUnauthorized: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const text = (await response.toArray()).join('')
  return Number(/^derp_current_home_connections (\d+)$/m.exec(text)?.[1])
}

/** The client on each runtime that it is for, by a program that knows nothing but the package's entries. */

import { execFile } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DERPNode, DERPRegion } from '../../src/derpmap/types.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { bunPath } from '../../tools/bun/bun-path.ts'
import { denoPath } from '../../tools/deno/deno-path.ts'
import type { ClientScene } from '../support/client-program.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { until } from '../support/settle.ts'
import { startHttpRelay } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'

const PROGRAM = join(import.meta.dirname, '../support/client-program.ts')
const SIZES = [0, 1, 1_400, 65_536]

/** A runtime with the arguments before a program; undefined where there is none for this machine. */
type Command = readonly [path: string, ...args: string[]] | undefined

const bun = bunPath()
const deno = denoPath()
const RUNTIMES: readonly (readonly [name: string, command: Command])[] = [
  ['Node.js', [process.execPath]],
  ['Bun', bun === undefined ? undefined : [bun]],
  ['Deno', deno === undefined ? undefined : [deno, 'run', '--quiet', '--allow-net', '--no-prompt']],
]
for (const [name, command] of RUNTIMES) {
  if (command !== undefined) continue
  if (process.env['CI']) throw new Error(`find ${name}: not installed, and CI may skip nothing`)
  process.stderr.write(`tests of the client on ${name} are skipped: there is no package of it for this machine\n`)
}

let ca: TestCa
let certificate: CertificatePair
let pin: string
beforeAll(async () => {
  ca = await TestCa.create()
  certificate = await ca.issue({ dns: ['relay.test'] })
  const { raw } = new X509Certificate(certificate.certificate)
  pin = `sha256-raw:${createHash('sha256').update(raw).digest('hex')}`
})

describe.each(RUNTIMES)('the client on %s', (runtime, command) => {
  const skippable = test.skipIf(command === undefined)

  async function play(scene: string, given: ClientScene): Promise<unknown> {
    const [path = '', ...args] = command ?? []
    const { stdout } = await promisify(execFile)(path, [...args, PROGRAM, scene, JSON.stringify(given)])
    return JSON.parse(stdout)
  }

  function region(port: number, fields: Partial<DERPNode> = {}): DERPRegion {
    const address = { IPv4: '127.0.0.1', IPv6: 'none', DERPPort: port }
    const node = { Name: '1a', RegionID: 1, HostName: 'relay.test', ...address, ...fields }
    return { RegionID: 1, RegionCode: 'own', RegionName: '', Nodes: [node] }
  }

  const startRelay = () => ListeningRelay.start({ tls: { hostname: 'relay.test', certificate } })

  skippable('connects and relays packets of every size over plain HTTP', async () => {
    await using relay = await startHttpRelay()
    expect(await play('relay', { url: relay.url })).toEqual({ sizes: SIZES })
  })

  skippable('does so over TLS, with the fast start of the meta certificate', async () => {
    const fastStarts: unknown[] = []
    const onUpgrade: NonNullable<Parameters<typeof ListeningRelay.start>[0]>['onUpgrade'] = ({ headers }) =>
      void fastStarts.push(headers['derp-fast-start']?.[0])
    await using relay = await ListeningRelay.start({ tls: { hostname: 'relay.test', certificate }, onUpgrade })
    const given = { region: region(relay.port), ca: ca.certificate }
    expect(await play('relay', given)).toEqual({ sizes: SIZES, version: 'TLSv1.3' })
    expect(fastStarts).toEqual(['1', '1'])
  })

  skippable('takes a pinned certificate, and no other', async () => {
    await using relay = await startRelay()
    const pinned = await play('relay', { region: region(relay.port, { CertName: pin }) })
    expect(pinned).toEqual({ sizes: SIZES, version: 'TLSv1.3', pin: pin.slice('sha256-raw:'.length) })
    const other = { CertName: `sha256-raw:${'00'.repeat(32)}` }
    expect(await play('refused', { region: region(relay.port, other) })).toMatchObject({
      code: 'ERR_DERP_TLS_FAILED',
      message: expect.stringContaining('not the pinned'),
    })
  })

  skippable('refuses certificates that it does not trust', async () => {
    await using relay = await startRelay()
    expect(await play('refused', { region: region(relay.port) })).toMatchObject({
      code: 'ERR_DERP_TLS_FAILED',
      message: expect.stringMatching(/authority that is not trusted|no trusted authority/),
    })
  })

  skippable('goes through a proxy', async () => {
    await using relay = await startRelay()
    await using proxy = await startConnectProxy()
    const behind = { region: region(relay.port, { IPv4: '192.0.2.1' }), ca: ca.certificate }
    expect(await play('relay', { ...behind, proxy: `127.0.0.1:${proxy.port}` })).toMatchObject({ sizes: SIZES })
    expect(proxy.targets).toEqual([`relay.test:${relay.port}`, `relay.test:${relay.port}`])
  })

  skippable('connects again when the relay has ended its connection', async () => {
    await using relay = await startHttpRelay()
    const played = play('reconnect', { url: relay.url })
    await until(() => relay.core.counters.logins === 1, 'the client has logged in')
    for (const socket of relay.sockets) socket.destroy()
    expect(await played).toMatchObject({ infos: 2 })
  })

  skippable('connects again over TLS, and goes on with its session', async () => {
    await using relay = await startRelay()
    const played = play('again', { region: region(relay.port), ca: ca.certificate })
    const { core } = relay.relay
    await until(() => core.counters.logins === 1, 'the client has logged in')
    for (const { key } of core.sessions) void core.directory.closePeer(key)
    expect(await played).toEqual({ isResumed: runtime !== 'Deno' })
  })
})

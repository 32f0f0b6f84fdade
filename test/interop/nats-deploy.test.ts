/** Relays on NATS servers with the configuration and the permissions of `deploy/nats`. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, test } from 'vitest'
import { relayIdOf } from '../../src/backplane/stamp.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { readText } from '../support/deploy-files.ts'
import { hasGo, natsServer } from '../support/go-tools.ts'
import { createJwtAccount } from '../support/nats-jwt.ts'
import { startNatsServer } from '../support/nats-server.ts'
import { startProgram } from '../support/process.ts'
import { type RegionRelay, startRegionRelay, untilReadyz, untilRelaysMet } from '../support/region-relay.ts'
import { exchangeBetween } from '../support/relay-clients.ts'
import { freePort } from '../support/relays.ts'
import { TestCa } from '../support/test-ca.ts'

const directory = mkdtempSync(join(tmpdir(), 'nats-deploy-'))
const at = (name: string) => join(directory, name)
afterAll(() => rmSync(directory, { recursive: true }))

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

interface Identity {
  readonly id: string
  readonly file: string
}

/** The key file of a relay, and its id. */
function identity(name: string): Identity {
  const key = NodePrivateKey.generate()
  const file = at(`${name}.key.json`)
  writeFileSync(file, JSON.stringify({ PrivateKey: key.exportText() }), { mode: 0o600 })
  return { id: relayIdOf(key.publicKey()), file }
}

async function startRelay(nats: string, key: Identity, args: readonly string[] = []): Promise<RegionRelay> {
  const relay = await startRegionRelay(nats, ['-region', 'eu', '-c', key.file, ...args])
  cleanups.push(() => relay.stop())
  return relay
}

/** Starts three servers; returns their ports. */
async function startServers(first: Identity, second: Identity): Promise<readonly number[]> {
  const ca = await TestCa.create()
  const { certificate, key } = await ca.issue({ dns: ['localhost'], ips: ['127.0.0.1'] })
  writeFileSync(at('ca.crt'), ca.certificate)
  writeFileSync(at('server.crt'), certificate)
  writeFileSync(at('server.key'), key)
  const relays = readText('deploy/nats/relays.conf')
  writeFileSync(at('relays.conf'), relays.replaceAll('1'.repeat(16), first.id).replaceAll('2'.repeat(16), second.id))
  const env = { RELAY1_PASSWORD: 'one', RELAY2_PASSWORD: 'two' }
  const names = ['nats1', 'nats2', 'nats3']
  const ports = await Promise.all(names.map(async () => ({ client: await freePort(), cluster: await freePort() })))
  for (const [n, { client, cluster }] of ports.entries()) {
    const config = readText('deploy/nats/nats-server.conf')
      .replaceAll('/etc/nats/', `${directory}/`)
      .replace('"0.0.0.0:4222"', `"127.0.0.1:${client}"`)
      .replace('"0.0.0.0:6222"', `"127.0.0.1:${cluster}"`)
      .replaceAll(/nats(\d)\.example:6222/g, (_, at: string) => `localhost:${ports[Number(at) - 1]?.cluster}`)
    writeFileSync(at(`${names[n]}.conf`), config)
    const args = ['-c', at(`${names[n]}.conf`)]
    const program = await startProgram(await natsServer(), args, { env: { ...env, NATS_NAME: names[n] as string } })
    cleanups.push(() => program.stop())
    await program.stderrMatch(/Server is ready/)
    if (n > 0) await program.stderrMatch(/Route connection created/)
  }
  return ports.map(({ client }) => client)
}

describe.skipIf(!hasGo)('NATS as in deploy/nats', () => {
  test('relays of a region use it over TLS, each with its own user only (P-320)', async () => {
    const [one, two] = [identity('one'), identity('two')]
    const [first, , third] = await startServers(one, two)
    const trust = ['-nats-tls-ca', at('ca.crt')]
    const stranger = identity('stranger')
    const [near, far, forger, guest] = await Promise.all([
      startRelay(`tls://relay1:one@localhost:${first}`, one, trust),
      startRelay(`tls://relay2:two@localhost:${third}`, two, trust),
      startRelay(`tls://relay2:two@localhost:${first}`, stranger, trust),
      startRelay(`tls://relay1:wrong@localhost:${first}`, identity('guest'), trust),
    ])
    await untilRelaysMet([near, far])
    await exchangeBetween(near.url, far.url)
    const subject = `derp.eu.to.${stranger.id}`
    const reason = 'not ready\nregion: NATS cannot be used: '
    await untilReadyz(forger, new RegExp(`^${reason}not permitted to \\w+ to ${subject}`))
    await untilReadyz(guest, new RegExp(`^${reason}.*authorization violation`, 'i'))
  })

  test('relays with credentials get their permissions by a template (P-320)', async () => {
    const readme = readText('deploy/nats/README.md')
    const [, publish = ''] = /--allow-pub '(.*)'/.exec(readme) ?? []
    const [, subscribe = ''] = /--allow-sub '(.*)'/.exec(readme) ?? []
    const account = createJwtAccount({ publish: publish.split(','), subscribe: subscribe.split(',') })
    const nats = await startNatsServer(account.config)
    cleanups.push(() => nats.stop())
    const keys = [identity('jwt-one'), identity('jwt-two')]
    const creds = ({ id }: Identity) => {
      writeFileSync(at(`${id}.creds`), account.credentialsOf(id))
      return ['-nats-creds', at(`${id}.creds`)]
    }
    const relays = await Promise.all(keys.map(key => startRelay(nats.url, key, creds(key))))
    await untilRelaysMet(relays)
    await exchangeBetween(relays[0]?.url ?? '', relays[1]?.url ?? '')
    const forger = await startRelay(nats.url, identity('jwt-three'), creds(keys[0] as Identity))
    await untilReadyz(forger, /^not ready\nregion: NATS cannot be used: not permitted to/)
  })
})

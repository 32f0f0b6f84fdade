import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { hasGo } from '../support/go-tools.ts'
import { hasOpenssl, seenChain } from '../support/openssl.ts'
import { Pebble, type PebbleOptions } from '../support/pebble.ts'
import { type Program, startProgram } from '../support/process.ts'
import { freePort } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const DERPER = commandPath('derper')
const WEEK_SECONDS = 7 * 86_400
const EAB_KEY = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
/** Validation may reach any of them. */
const WORKERS = ['1', '2'] as const
const META_CERTIFICATE = /^CN=derpkey[0-9a-f]{64}$/

describe.skipIf(!hasGo || !hasOpenssl)('derper with an ACME authority', () => {
  const root = mkdtempSync(join(tmpdir(), 'derper-acme-'))
  afterAll(() => rmSync(root, { recursive: true }))

  let directory: string
  let pebble: Pebble | undefined
  let derper: Program | undefined
  let ports: { readonly httpPort: number; readonly tlsPort: number }

  beforeEach(() => {
    directory = mkdtempSync(join(root, 'certs-'))
  })
  afterEach(async () => {
    await derper?.stop()
    await pebble?.stop()
    ;[derper, pebble] = [undefined, undefined]
  })

  const at = (name: string) => join(root, name)

  /** An ACME server, and derper on the ports that it validates. */
  async function start(
    options: Partial<PebbleOptions>,
    flags: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Program> {
    ports = { httpPort: await freePort(), tlsPort: await freePort() }
    pebble = await Pebble.start({ ...ports, ...options })
    writeFileSync(at('directory.pem'), pebble.directoryCa)
    writeFileSync(at('root.pem'), await pebble.rootCertificate())
    const listen = ['-a', `127.0.0.1:${ports.tlsPort}`, '-tls', '-stun=false', '-c', at('derper.key')]
    const authority = ['-acme-directory', pebble.directoryUrl, '-acme-ca-file', at('directory.pem')]
    const common = [...listen, ...authority, '-hostname', 'relay.test', '-certdir', directory]
    const plain = ['-http-port', `${ports.httpPort}`]
    derper = await startProgram(RUNTIME_PATH, [DERPER, ...common, ...plain, ...flags], { env })
    return derper
  }

  /** Our own metrics; does not verify the certificate, as other tests check chains. */
  async function metrics(): Promise<Record<string, Record<string, number>>> {
    const ca = await pebble?.rootCertificate()
    const target = new Target({
      url: `https://127.0.0.1:${ports.tlsPort}/derp`,
      ca: ca ?? '',
      carriage: 'raw',
      like: 'ours',
    })
    return (await target.vars())['derphttp'] as Record<string, Record<string, number>>
  }

  test.for(WORKERS)(
    'with -workers %s obtains certificates for its name and addresses, and serves them with their chains (P-147, P-148)',
    async workers => {
      const addresses = ['-workers', workers, '-acme-ip-certs', '-acme-ips', '127.0.0.1', '-acme-profile', 'shortlived']
      const program = await start({}, addresses)
      await program.stderrMatch(/"msg":"certificate obtained".*\n[\s\S]*"msg":"certificate obtained"/)
      for (const name of ['relay.test', undefined]) {
        const { shown, verified } = await seenChain(ports.tlsPort, at('root.pem'), name)
        expect(verified).toBe('0 (ok)')
        const [leaf, intermediate, meta] = shown
        expect(leaf?.issuer).toBe(intermediate?.subject)
        expect(meta?.subject).toMatch(META_CERTIFICATE)
        expect(shown).toHaveLength(3)
      }
      const node = { Name: 'custom', RegionID: 900, HostName: '127.0.0.1', DERPPort: ports.tlsPort, STUNPort: -1 }
      expect(program.stderr).toContain(`"derpMapNodes":[${JSON.stringify(node)}]`)
      const own = await metrics()
      const ends = own['gauge_cert_not_after_seconds'] ?? {}
      expect(Object.keys(ends).toSorted()).toEqual(['127.0.0.1', 'relay.test'])
      for (const end of Object.values(ends)) expect(end).toBeLessThan(Date.now() / 1_000 + WEEK_SECONDS)
      expect(own['counter_cert_replacements']).toEqual({ '127.0.0.1': 1, 'relay.test': 1 })
      expect(readdirSync(directory)).toContain('acme_account+key')
    },
  )

  test.for(WORKERS)(
    'with -workers %s, -certmode gcp binds its account with -acme-eab-kid and -acme-eab-key, without port 80 (P-147, P-149)',
    async workers => {
      writeFileSync(at('eab.key'), `${EAB_KEY}\n`)
      const account = ['-certmode', 'gcp', '-acme-email', 'ops@relay.test', '-acme-eab-kid', 'kid-1']
      const flags = [...account, '-workers', workers, '-acme-profile', 'default', '-http-port', '-1']
      const env = { DERPER_ACME_EAB_KEY_FILE: at('eab.key') }
      const program = await start({ accounts: { 'kid-1': EAB_KEY } }, flags, env)
      await program.stderrMatch(/"msg":"certificate obtained"/)
      const { shown, verified } = await seenChain(ports.tlsPort, at('root.pem'), 'relay.test')
      expect([verified, shown.length]).toEqual(['0 (ok)', 3])
      expect(program.stderr).not.toContain(EAB_KEY)
      // The stored certificate is served after a restart, without another order.
      await program.stop()
      const again = await startProgram(RUNTIME_PATH, program.child.spawnargs.slice(1), { env })
      derper = again
      await again.stderrMatch(/"msg":"certificate loaded"/)
      expect((await seenChain(ports.tlsPort, at('root.pem'), 'relay.test')).shown).toEqual(shown)
    },
  )
})

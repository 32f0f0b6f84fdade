import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkConfig } from '../../src/cli/derper/check-config.ts'
import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { environmentName, readFlags } from '../../src/cli/flag-sources.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/entries/derphttp.ts'
import { commandPath } from '../support/commands.ts'
import { type Program, startProgram } from '../support/process.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'
import { type IssueRequest, TestCa } from '../support/test-ca.ts'

const DERPER = commandPath('derper')
const directory = mkdtempSync(join(tmpdir(), 'derper-sources-'))
afterAll(() => rmSync(directory, { recursive: true }))

const at = (name: string) => join(directory, name)

function file(name: string, text: string): string {
  writeFileSync(at(name), text)
  return at(name)
}

const derper = (args: string[], env: Record<string, string> = {}): Promise<Program> =>
  startProgram(RUNTIME_PATH, [DERPER, ...args], { env })

async function output(program: Program): Promise<string> {
  const pieces: string[] = []
  program.child.stdout?.setEncoding('utf8').on('data', (text: string) => pieces.push(text))
  expect([await program.exit(), program.stderr]).toEqual([0, ''])
  return pieces.join('')
}

/** Output of check-config by topic; in this process, as it is the same code. */
async function planned(...args: string[]): Promise<Record<string, string>> {
  const common = ['-c', at('unmade.key'), '-tokens-file', '/dev/null']
  const { values, given } = await readFlags('derper', DERPER_FLAGS, { args: [...common, ...args], env: {} })
  const text = await checkConfig(values, given, { HOME: directory })
  return Object.fromEntries(Array.from(text.matchAll(/^ {2}(\S[^:]*): +(.*)$/gm), ([, topic, what]) => [topic, what]))
}

test('derper prefers the command line, then the environment, then -config, and reads secrets from files', async () => {
  const config = file(
    'derper.json',
    '{"a": ":1", "hostname": "relay.test", "stun-port": 1, "home": "blank", "tls": true, "log-level": "warn"}',
  )
  const env = {
    DERPER_CONFIG: config,
    DERPER_STUN_PORT: '2',
    DERPER_HOSTNAME: 'other.test',
    DERPER_C: at('unmade.key'),
    DERPER_CERTDIR: directory,
    DERPER_CERTMODE: 'gcp',
    DERPER_ACME_EMAIL: 'ops@relay.test',
    DERPER_ACME_EAB_KID: 'kid-1',
    DERPER_ACME_EAB_KEY_FILE: file('eab.key', 'c2VjcmV0LWtleQ\n'),
    DERPER_VERIFY_CLIENT: 'true',
  }
  const text = await output(
    await derper(
      [
        'check-config',
        '-hostname',
        'third.test',
        '-http-port=-1',
        '-max-connections=500',
        '-max-queued-bytes=1048576000',
      ],
      env,
    ),
  )
  const memory = /^ {2}memory: +at worst \d+ MB: program \d+, STUN \d+, connections 33, received 426, .*\n/m
  expect(text).toMatch(memory)
  expect(text.replace(memory, '')).toBe(
    `${[
      'derper would run with this configuration:',
      `  key:               a new one, stored in ${at('unmade.key')}`,
      '  listener:          :1, TLS',
      '  HTTP beside TLS:   off',
      `  certificate:       for third.test from https://dv.acme-v02.api.pki.goog/directory, validated by tls-alpn-01 only, stored in ${directory}`,
      '  relay:             on',
      '  STUN:              :2/udp, nodes only, no rate limit',
      '  admission:         everyone',
      '  mesh:              off: no mesh key',
      '  bootstrap DNS:     off',
      '  connections:       at most 500',
      '  limits:            no rate limit, writes time out after 2s, 1049 MB for slow readers',
      '  metrics:           below /debug/ only',
      '  shutdown:          clients accepted for 0s, disconnected within 5s, exit after 8s',
      '  certificate files: none for third.test yet; one will be ordered',
      '  note: variable DERPER_VERIFY_CLIENT has no effect: no such flag; did you mean DERPER_VERIFY_CLIENTS?',
      '  note: anyone who reaches this relay can use it; restrict that with -verify-clients, -allow-keys-file or others',
    ].join('\n')}\n`,
  )
  expect(readdirSync(directory).toSorted()).toEqual(['derper.json', 'eab.key'])
})

test('check-config describes every topic and shows no secret', async () => {
  const key = NodePrivateKey.generate()
  const list = file('keys.txt', `${key.publicKey()}\n`)
  const meshKey = file('mesh.key', 'ab'.repeat(32))
  const keyFile = file('given.key', JSON.stringify({ PrivateKey: key.exportText() }))
  const rates = file('rates.json', '{"PerClientRateLimitBytesPerSec": 5000}')
  const lists = ['-deny-keys-file', list, '-allow-keys-file', list, '-disallow-app-names', 'old, older']
  const sources = ['-verify-clients', '-verify-client-url', 'https://user:secret@policy.test/path?token=secret']
  const mesh = ['-mesh-psk-file', meshKey, '-mesh-with', 'a.test,b.test/10.0.0.1']
  const stun = ['-stun-ip', '2001:db8::1', '-stun-plain', '-stun-rate-limit', '2.5', '-stun-rate-burst', '9']
  const proxies = ['-trusted-proxies', '10.0.0.0/8, ::1', '-proxy-protocol']
  const names = ['-bootstrap-dns-names', 'x.test', '-unpublished-bootstrap-dns-names', 'y.test/share.test']
  const connections = ['-max-connections=500', '-max-connections-per-source=20', '-max-clients=30']
  const numbers = [...connections, '-total-rate=2000000', '-max-queued-bytes=104857600']
  const accepts = ['-accept-connection-limit=10', '-accept-connection-limit-per-source=0.5']
  const limits = [...numbers, ...accepts, '-rate-config', rates, '-tcp-write-timeout', '0s', '-a', '[::1]:8080']
  const metrics = ['-metrics-addr', ':9340', '-metrics-allow', '10.0.0.0/8', '-metrics-token', 'secret-secret-secret']
  const own = [...metrics, '-drain-delay', '10s', '-drain-time', '1m', '-c', keyFile, '-derp=false']
  const others = [...proxies, ...names, ...limits, ...own]
  expect(await planned(...lists, ...sources, ...mesh, ...stun, ...others)).toEqual({
    key: `${key.publicKey()} ${key.publicKey().shortString()} from ${keyFile}`,
    listener: '[::1]:8080, plain HTTP',
    'trusted proxies': '10.0.0.0/8, ::1, by PROXY headers and X-Forwarded-For',
    relay: 'off: only the other services run',
    STUN: '[2001:db8::1]:3478/udp, any STUN client, 2.5 replies per second per source, burst 9',
    admission: `no application named old, older; no key in ${list}; only keys in ${list}, or tokens in /dev/null, or nodes known to tailscaled at its default socket and clients approved by policy.test (all while it is unreachable)`,
    mesh: 'links to a.test, b.test',
    'bootstrap DNS': 'x.test for everyone, y.test/share.test on request',
    connections:
      'at most 500, 20 per source, 10 new per second per listener, 0.5 new per second per source, 30 clients',
    limits:
      '2000000 bytes per second in total, 5000 bytes per second per client, no write timeout, 105 MB for slow readers',
    metrics: 'on :9340 for token holders and listed addresses',
    shutdown: 'clients accepted for 10s, disconnected within 1m, exit after 1m13s',
    memory: expect.stringMatching(/^at worst \d+ MB: .*, slow readers 105, .*mesh 1218/),
    note: `key file ${keyFile} has mode 0644: others can read the relay's private key or replace it; chmod 600 it`,
    warning: expect.stringMatching(
      /^ask admission URL https:\/\/policy\.test: DNS .*; until it responds, it refuses nobody$/,
    ),
  })
})

test('check-config checks certificates, generates none, and reports flags without effect', async () => {
  const { certificate, key } = await (await TestCa.create()).issue({ dns: ['relay.test'] })
  file('relay.test.crt', certificate)
  file('relay.test.key', key)
  const manual = ['-certmode', 'manual', '-certdir', directory]
  expect(await planned(...manual, '-hostname', 'relay.test', '-stun=false')).toMatchObject({
    STUN: 'off',
    certificate: `for relay.test from ${directory}`,
    'certificate files': expect.stringMatching(/^valid until \d{4}-/),
  })
  const expired = { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') }
  const old = await (await TestCa.create()).issue({ dns: ['old.test'], ...expired })
  file('old.test.crt', old.certificate)
  file('old.test.key', old.key)
  expect(await planned(...manual, '-hostname', 'old.test')).toMatchObject({
    'certificate files': expect.stringMatching(/^clients will reject them: the certificate has expired/),
  })
  expect(await planned(...manual, '-hostname', '192.0.2.1', '-acme-ip-certs')).toMatchObject({
    'certificate files': 'none yet; one will be generated',
    note: '-acme-ip-certs has no effect: -certmode is manual',
  })
  expect(existsSync(at('192.0.2.1.crt'))).toBe(false)
  expect(await planned('-a', ':8080', '-certmode', 'letsencrypt')).toMatchObject({
    listener: ':8080, plain HTTP',
    note: '-certmode has no effect: plain HTTP is served, as -a is not on port 443; for TLS set -tls, or -certmode manual',
  })
  const addresses = ['-tls', '-acme-ip-certs', '-acme-ips', '192.0.2.7,192.0.2.8', '-hostname', 'relay.test']
  expect(await planned(...addresses)).toMatchObject({
    certificate: `for relay.test from https://acme-v02.api.letsencrypt.org/directory, and for addresses 192.0.2.7, 192.0.2.8, stored in ${at('.cache/tailscale/derper-certs')}`,
  })
})

test('check-config says when STUN is served to this machine only, and that -stun-ip mends it', async () => {
  expect(await planned('-a', '127.0.0.1:3340')).toMatchObject({
    STUN: '127.0.0.1:3478/udp, nodes only, no rate limit',
    note: 'STUN is served on 127.0.0.1, for this machine only: set -stun-ip to an address that clients reach, such as :: for all, or -stun=false',
  })
  const open = await planned('-a', '127.0.0.1:3340', '-stun-ip', '::')
  expect(open).toMatchObject({ STUN: ':3478/udp, nodes only, no rate limit' })
  expect(open['note']).toBeUndefined()
  await expect(planned('-a', ':3340', '-stun-ip', 'relay.test')).rejects.toThrow(
    'set flag -stun-ip to "relay.test": not an IP address; the port is -stun-port',
  )
})

test('check-config names the certificate that an authority issued before, and whether it is of use', async () => {
  const folder = at('acme')
  mkdirSync(folder)
  const stored = async (host: string) => {
    const plan = await planned('-tls', '-certdir', folder, '-hostname', host, '-stun=false')
    return plan['certificate files']
  }
  const ca = await TestCa.create()
  const store = async (name: string, request: IssueRequest) => {
    const { certificate, key } = await ca.issue(request)
    file(`acme/${name}`, `${key}${certificate}`)
  }
  await store('good.test', { dns: ['good.test'], notAfter: new Date('2099-01-02T03:04:05Z') })
  await store('old.test', { dns: ['old.test'], notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') })
  await store('other.test', { dns: ['good.test'] })
  file('acme/broken.test', 'nonsense')
  expect(await stored('Good.test.')).toBe('one for good.test, valid until 2099-01-02T03:04:05.000Z')
  expect(await stored('old.test')).toMatch(/^the one for old\.test expired at 2020-02-01.*another will be ordered$/)
  expect(await stored('other.test')).toBe(
    `${folder}/other.test cannot be used: certificate is not for other.test but for DNS:good.test; another will be ordered`,
  )
  expect(await stored('broken.test')).toBe('none for broken.test yet; one will be ordered')
})

test('derper finds the mesh key at the original’s default paths, but not in development mode (P-023)', async () => {
  expect(await planned('-a', ':80')).toMatchObject({ mesh: 'off: no mesh key' })
  mkdirSync(at('keys'))
  file('keys/derp-mesh.key', 'ab'.repeat(32))
  expect(await planned('-a', ':80')).toMatchObject({ mesh: 'links to none' })
  expect(await planned('-dev')).toMatchObject({ mesh: 'off: no mesh key' })
})

test('check-config works while a derper uses the ports and the key', async () => {
  const args = ['-a', '127.0.0.1:0', '-c', at('running.key'), '-stun=false']
  const running = await derper(args)
  try {
    const { port, relay: key } = await served(running)
    const text = await output(await derper(['check-config', ...args, '-a', `127.0.0.1:${port}`]))
    const short = NodePublicKey.parse(`${key}`)
      .shortString()
      .replace(/[[\]/+]/g, '\\$&')
    expect(text).toMatch(new RegExp(`^  key: +${key} ${short} from ${at('running.key')}$`, 'm'))
  } finally {
    await running.stop()
  }
})

test('derper -help prints each flag with type and default, and other ways to set flags', async () => {
  const text = await output(await derper(['-help']))
  for (const [name, { kind, default: value, help }] of Object.entries(DERPER_FLAGS)) {
    const shown = value === '' ? '' : ` (default ${kind === 'string' ? `"${value}"` : value})`
    expect(text).toContain(`\n  -${name}${kind === 'bool' ? '' : ` ${kind}`}\n\t${help}${shown}\n`)
  }
  expect(text).toContain(environmentName('derper', 'stun-port'))
  expect(text).toContain('derper check-config [flags]')
})

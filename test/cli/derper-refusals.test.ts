import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkConfig } from '../../src/cli/derper/check-config.ts'
import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { readFlags } from '../../src/cli/flag-sources.ts'
import { commandPath } from '../support/commands.ts'
import { startProgram } from '../support/process.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { TestCa } from '../support/test-ca.ts'

const DERPER = commandPath('derper')
const directory = mkdtempSync(join(tmpdir(), 'derper-refusals-'))
const at = (name: string) => join(directory, name)

const PLAIN = ['-c', at('unmade.key'), '-a', '127.0.0.1:0', '-stun-port', '0']
const MANUAL = [...PLAIN, '-certmode', 'manual', '-certdir', directory, '-http-port', '0']
const ACME = [...PLAIN, '-tls', '-hostname', 'relay.test', '-certdir', directory, '-http-port', '0']

beforeAll(async () => {
  const ca = await TestCa.create()
  const pairs = { right: await ca.issue({ dns: ['other.test'] }), other: await ca.issue({ dns: ['relay.test'] }) }
  const files = {
    'words.txt': 'these are words\n',
    'unknown-key.json': '{"stun-prot": 3478}',
    'wrong-type.json': '{"stun-port": "3478"}',
    'unknown-field.json': '{"Rate": 1}',
    'short-mesh.key': `${'a'.repeat(63)}\n`,
    'short-token.txt': 'prober 12345\n',
    'no-pem.test.crt': 'no certificate\n',
    'no-pem.test.key': pairs.right.key,
    'no-key.test.crt': pairs.right.certificate,
    'no-key.test.key': 'no key\n',
    'other-key.test.crt': pairs.right.certificate,
    'other-key.test.key': pairs.other.key,
    'other-name.test.crt': pairs.right.certificate,
    'other-name.test.key': pairs.right.key,
    'relay.test.key': pairs.other.key,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
  mkdirSync(at('folder'))
})
afterAll(() => rmSync(directory, { recursive: true }))

interface Refusal {
  readonly what: string
  readonly flags: readonly string[]
  readonly env?: Record<string, string>
  /** The error, without the test's folder. */
  readonly says: string
}

/** One of each kind, for the real command; others run the same code in this process. */
const BY_COMMAND: ReadonlySet<string> = new Set([
  'an unknown flag',
  'an unknown key',
  'a secret that is not there',
  'a folder for certificates of an authority that cannot be written to',
  'a mesh key of another length',
  'a deny list that cannot be read',
  'a certificate that is not PEM',
  'an authority’s certificate that is not PEM',
  'an admission URL with a password that is not escaped',
  'a home page that no header can carry',
  'two listeners on one port',
  'mesh peers without a mesh key',
  'a proxy that is no address',
])

const SETEC = "it needs setec, Tailscale's secrets server; put the mesh key into a file and set -mesh-psk-file"

const REFUSALS: readonly Refusal[] = [
  {
    what: 'an unknown flag',
    flags: ['-stun-prot', '1'],
    says: 'read flag -stun-prot: no such flag; did you mean -stun-port?',
  },
  {
    what: 'another command',
    flags: ['check'],
    says: 'read argument "check": no such command or flag; -help lists them',
  },
  { what: 'a flag without its value', flags: ['-a'], says: 'read flag -a: no value' },
  {
    what: 'a variable that makes no sense',
    flags: PLAIN,
    env: { DERPER_STUN: 'maybe' },
    says: 'read DERPER_STUN: set flag -stun to "maybe": not true or false',
  },
  {
    what: 'an unknown key',
    flags: ['-config', at('unknown-key.json')],
    says: 'read configuration file unknown-key.json: key "stun-prot" is not a flag; did you mean -stun-port?',
  },
  {
    what: 'a key of another type',
    flags: ['-config', at('wrong-type.json')],
    says: 'read configuration file wrong-type.json: key "stun-port" is "3478", not a number',
  },
  {
    what: 'a configuration that is not there',
    flags: ['-config', at('none.json')],
    says: 'read configuration file none.json: no such file; name a readable file',
  },
  {
    what: 'a control socket in a folder that is not there',
    flags: [...PLAIN, '-control-socket', at('nowhere/control.sock')],
    says: "listen on -control-socket nowhere/control.sock: ENOENT: no such file or directory, access 'nowhere'; create its folder, writable to the user of derper (RuntimeDirectory= of systemd)",
  },
  {
    what: 'a secret that is not there',
    flags: PLAIN,
    env: { DERPER_ACME_EAB_KEY_FILE: at('none.txt') },
    says: 'read DERPER_ACME_EAB_KEY_FILE: no such file; name a readable file',
  },
  { what: '-ace', flags: ['-ace'], says: `read flag -ace: ${DERPER_FLAGS.ace.refused}` },
  { what: '-secrets-url', flags: ['-secrets-url', 'x'], says: `read flag -secrets-url: ${SETEC}` },
  { what: '-secrets-cache-dir', flags: ['-secrets-cache-dir=x'], says: `read flag -secrets-cache-dir: ${SETEC}` },
  {
    what: '-secrets-path-prefix by its variable',
    flags: PLAIN,
    env: { DERPER_SECRETS_PATH_PREFIX: 'x' },
    says: `read DERPER_SECRETS_PATH_PREFIX: read flag -secrets-path-prefix: ${SETEC}`,
  },
  {
    what: 'an address without a port',
    flags: ['-a', 'localhost'],
    says: 'set flag -a to "localhost": not in the form ":port", "ip:port" or "[ip]:port"',
  },
  {
    what: 'a port alone',
    flags: ['-a', '3340'],
    says: 'set flag -a to "3340": not in the form ":port", "ip:port" or "[ip]:port"; did you mean :3340?',
  },
  {
    what: 'no STUN by its port',
    flags: [...PLAIN, '-stun', '-stun-port', '-1'],
    says: 'set flag -stun-port to "-1": not a port from 0 to 65535; for none set -stun=false',
  },
  {
    what: 'a port out of range',
    flags: [...ACME, '-http-port', '70000'],
    says: 'set flag -http-port to "70000": not a port from 0 to 65535',
  },
  {
    what: 'a key file of something else',
    flags: [...PLAIN, '-c', at('words.txt')],
    says: 'parse key file words.txt: not JSON; restore it from a backup, or move it away to generate a new key',
  },
  {
    what: 'a mesh key of another length',
    flags: [...PLAIN, '-mesh-psk-file', at('short-mesh.key')],
    says: 'set flag -mesh-psk-file to "short-mesh.key": parse mesh key of 63 characters: must be exactly 64 lowercase hex digits; generate one for all relays of the region, such as with openssl rand -hex 32',
  },
  {
    what: 'a mesh key that is not there',
    flags: [...PLAIN, '-mesh-psk-file', at('none.key')],
    says: 'set flag -mesh-psk-file to "none.key": no such file; name a readable file',
  },
  {
    what: 'mesh peers without a mesh key',
    flags: [...PLAIN, '-mesh-with', 'sibling.test'],
    says: 'set flag -mesh-with to "sibling.test": needs a mesh key; set -mesh-psk-file',
  },
  {
    what: 'a rate config with another field',
    flags: [...PLAIN, '-rate-config', at('unknown-field.json')],
    says: 'set flag -rate-config to "unknown-field.json": parse rate config: "Rate" is none of its fields, PerClientRateLimitBytesPerSec and PerClientRateBurstBytes',
  },
  {
    what: 'an allow list of something else',
    flags: [...PLAIN, '-allow-keys-file', at('words.txt')],
    says: 'set flag -allow-keys-file to "words.txt": line 1: parse node public key: has 15 characters, expected nodekey: and 64 hex digits',
  },
  {
    what: 'a deny list that cannot be read',
    flags: [...PLAIN, '-deny-keys-file', at('folder')],
    says: 'set flag -deny-keys-file to "folder": not a regular file; name a readable file',
  },
  {
    what: 'a token that could be guessed',
    flags: [...PLAIN, '-tokens-file', at('short-token.txt')],
    says: 'set flag -tokens-file to "short-token.txt": line 1: token has 5 characters, needs 16 or more',
  },
  {
    what: 'an admission URL of another kind',
    flags: [...PLAIN, '-verify-client-url', 'ftp://user:secret@policy.test'],
    says: 'set flag -verify-client-url: read admission URL: not an http or https URL such as https://headscale.example/verify',
  },
  {
    what: 'an admission URL with a password that is not escaped',
    flags: [...PLAIN, '-verify-client-url', 'https://user:50%off@policy.test'],
    says: 'set flag -verify-client-url: read admission URL: invalid escape in user name or password; write % as %25',
  },
  {
    what: 'an empty name',
    flags: [...PLAIN, '-bootstrap-dns-names', 'a.test,,b.test'],
    says: 'set flag -bootstrap-dns-names to "a.test,,b.test": read bootstrap name "": it is empty',
  },
  {
    what: 'a limit below zero',
    flags: [...PLAIN, '-stun-rate-limit', '-1'],
    says: 'set flag -stun-rate-limit to "-1": not a number of replies per second; 0 is for no limit',
  },
  {
    what: 'a burst of nothing',
    flags: [...PLAIN, '-stun-rate-burst', '0'],
    says: 'set flag -stun-rate-burst to "0": below 1, which would drop every request',
  },
  {
    what: 'a time below zero',
    flags: [...PLAIN, '-tcp-write-timeout', '-1s'],
    says: 'set flag -tcp-write-timeout to "-1s": not from 0 to 1h',
  },
  {
    what: 'a home page of another kind',
    flags: [...PLAIN, '-home', 'yes'],
    says: 'set flag -home to "yes": not empty, "blank", "404" or an http(s) URL in ASCII',
  },
  {
    what: 'a home page that no header can carry',
    flags: [...PLAIN, '-home', 'https://relay.test/ü'],
    says: 'set flag -home to "https://relay.test/ü": not empty, "blank", "404" or an http(s) URL in ASCII',
  },
  {
    what: 'two listeners on one port',
    flags: [...ACME, '-a', '127.0.0.1:3999', '-metrics-addr', ':3999', '-metrics-allow', '10.0.0.0/8'],
    says: 'listen on -metrics-addr :3999: already used by -a; choose another port for one of them',
  },
  {
    what: 'readers of the metrics that are nobody',
    flags: [...PLAIN, '-metrics-addr', '127.0.0.1:0', '-metrics-allow', ','],
    says: 'set flag -metrics-allow to ",": no address; name one, or omit the flag',
  },
  {
    what: 'a proxy that is no address',
    flags: [...PLAIN, '-trusted-proxies', '127.0.0.1, 10.0.0.0/33'],
    says: 'set flag -trusted-proxies to "127.0.0.1, 10.0.0.0/33": read list of addresses: "10.0.0.0/33" is neither an IP address nor a block such as 10.0.0.0/8 or 2001:db8::/32',
  },
  {
    what: 'PROXY headers that nobody may send',
    flags: [...PLAIN, '-proxy-protocol'],
    says: 'set flag -proxy-protocol: needs -trusted-proxies, which names the proxies that send the headers',
  },
  {
    what: 'TLS without a name',
    flags: MANUAL,
    says: 'serve TLS: -hostname is not set; set the name that clients connect to, or serve plain HTTP on another port with -a',
  },
  {
    what: 'a name that is none',
    flags: [...MANUAL, '-hostname', 'relay test'],
    says: 'set flag -hostname to "relay test": not a host name or IP address',
  },
  {
    what: 'a URL for a name',
    flags: [...MANUAL, '-hostname', 'https://relay.test:8443/derp'],
    says: 'set flag -hostname to "https://relay.test:8443/derp": not a host name or IP address; did you mean relay.test?',
  },
  {
    what: 'a name with a port',
    flags: [...MANUAL, '-hostname', 'relay.test:8443'],
    says: 'set flag -hostname to "relay.test:8443": not a host name or IP address; did you mean relay.test?',
  },
  {
    what: 'another way to certificates',
    flags: [...ACME, '-certmode', 'auto'],
    says: 'set flag -certmode to "auto": not one of manual, letsencrypt, gcp',
  },
  {
    what: 'a folder for certificates of an authority that cannot be written to',
    flags: [...ACME, '-certdir', at('words.txt/certs')],
    says: "store certificates in words.txt/certs: ENOTDIR: not a directory, stat 'words.txt/certs'; name a writable directory with -certdir",
  },
  {
    what: 'a certificate that is not there',
    flags: [...MANUAL, '-hostname', 'relay.test'],
    says: 'read certificate file relay.test.crt: no such file; put the certificate chain for relay.test there as PEM, or set -certdir',
  },
  {
    what: 'a certificate that is not PEM',
    flags: [...MANUAL, '-hostname', 'no-pem.test'],
    says: 'parse certificate file no-pem.test.crt: no certificate found; it must be PEM, starting with the host certificate, followed by its chain',
  },
  {
    what: 'a key that is not PEM',
    flags: [...MANUAL, '-hostname', 'no-key.test'],
    says: 'parse certificate file no-key.test.key: no private key found; it must be PEM and not encrypted',
  },
  {
    what: 'the key of another certificate',
    flags: [...MANUAL, '-hostname', 'other-key.test'],
    says: 'use certificate file other-key.test.key: it does not match other-key.test.crt; put the key there that the certificate was requested with',
  },
  {
    what: 'the certificate of another host',
    flags: [...MANUAL, '-hostname', 'other-name.test'],
    says: 'use certificate file other-name.test.crt: it is valid for DNS:other.test, not for other-name.test; set -hostname to one of its names, or get a certificate for this name',
  },
  {
    what: '-certmode gcp without an account',
    flags: [...ACME, '-certmode', 'gcp'],
    says: 'get certificates: -certmode gcp; needs -acme-eab-kid and -acme-eab-key',
  },
  {
    what: 'an authority’s certificate that is not PEM',
    flags: [...ACME, '-acme-ca-file', at('words.txt')],
    says: 'set flag -acme-ca-file to "words.txt": no certificate found; it must be PEM',
  },
  {
    what: 'addresses that are none',
    flags: [...ACME, '-acme-ip-certs', '-acme-ips', '192.0.2.1, here'],
    says: 'get certificates: -acme-ips has "here"; write comma-separated IP addresses',
  },
]

/** Runs the real command. */
async function run(flags: readonly string[], env: Record<string, string> = {}) {
  const program = await startProgram(RUNTIME_PATH, [DERPER, ...flags], { env })
  const lines: string[] = []
  program.child.stdout?.setEncoding('utf8').on('data', (text: string) => lines.push(text))
  return { code: await program.exit(), stdout: lines.join(''), stderr: program.stderr.replaceAll(`${directory}/`, '') }
}

test.each(REFUSALS.filter(({ what }) => BY_COMMAND.has(what)))(
  'derper refuses $what with one line, and starts nothing',
  async ({ flags, env, says }) => {
    expect(await run(flags, env)).toEqual({ code: 2, stdout: '', stderr: `derper: ${says}\n` })
    expect(existsSync(at('unmade.key'))).toBe(false)
  },
)

test('derper suggests the command that was misspelt', async () => {
  const says = 'read argument "checkconfig": no such command or flag; did you mean check-config?'
  expect(await run(['checkconfig'])).toEqual({ code: 2, stdout: '', stderr: `derper: ${says}\n` })
})

const isRoot = process.getuid?.() === 0
/** Whether every user may read what the command needs. */
const isPublic = [DERPER, RUNTIME_PATH].every(path => {
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false
  }
  return true
})

// Nothing is unwritable for root.
test.skipIf(isRoot && !isPublic)('derper refuses a -certdir that it may not write to', async () => {
  const folder = at('locked')
  mkdirSync(folder, { mode: 0o555 })
  chmodSync(directory, 0o755)
  const user = isRoot ? { uid: 65_534, gid: 65_534 } : {}
  const refused = promisify(execFile)(RUNTIME_PATH, [DERPER, ...ACME, '-certdir', folder], user)
  const reason = `EACCES: permission denied, access '${folder}'; name a writable directory with -certdir`
  await expect(refused).rejects.toMatchObject({
    code: 2,
    stderr: `derper: store certificates in ${folder}: ${reason}\n`,
  })
})

test.each(REFUSALS)('check-config reports $what', async ({ flags, env = {}, says }) => {
  const checked = async () => {
    const { values, given } = await readFlags('derper', DERPER_FLAGS, { args: flags, env })
    return checkConfig(values, given, { HOME: directory })
  }
  const message = await checked().then(String, (error: Error) => error.message.replaceAll(`${directory}/`, ''))
  expect(message).toBe(says)
})

test('derper detects a TCP or UDP port in use before starting anything', async () => {
  const tcp = createServer().listen(0, '127.0.0.1')
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
  const { port: tcpPort } = tcp.address() as { port: number }
  const { port: udpPort } = udp.address()
  const key = ['-c', at('not-made.key')]
  const reason = 'address already in use; stop the program that uses it, or choose another port'
  const refused = async (flags: readonly string[], says: string) =>
    expect(await run([...flags, ...key])).toEqual({
      code: 2,
      stdout: '',
      stderr: `derper: listen on ${says}: ${reason}\n`,
    })
  const [main, http] = [`127.0.0.1:${tcpPort}`, [...ACME, '-http-port', `${tcpPort}`]]
  await refused([...PLAIN, '-a', main], `-a ${main}`)
  await refused(http, `-http-port ${main}`)
  const stun = `127.0.0.1:${udpPort}`
  await refused([...PLAIN, '-stun-port', `${udpPort}`], `-stun-port ${stun}/udp`)
  expect(existsSync(at('not-made.key'))).toBe(false)
  tcp.close()
  udp.close()
})

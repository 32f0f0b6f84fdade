/** The steps of docs/operate/migrate.md, as they are written there, on the real files of the original. */

import { X509Certificate } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf } from '../../scripts/shell-blocks.ts'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { canChangeRoot } from '../support/bare-root.ts'
import { commandPath } from '../support/commands.ts'
import { readText } from '../support/deploy-files.ts'
import { goTools, hasGo } from '../support/go-tools.ts'
import { inOverlay } from '../support/overlay-root.ts'
import { startProgram } from '../support/process.ts'
import { freePort, untilAnswering } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { TestCa } from '../support/test-ca.ts'

const PAGE = readText('docs/operate/migrate.md')

/** Scripts of a section, without those that build: launchers of our source stand where a build writes files. */
function scriptsOf(heading: string): string[] {
  const [, section = ''] = PAGE.split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  return blocksOf('', own)
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text.replace(/^npm run build:binary$/m, ''))
}

/** The flags of the page's check, which are those of its unit. */
function unitFlags(): string {
  const [, flags = ''] = /^derper-new check-config (.*)$/m.exec(PAGE) ?? []
  return flags
}

const systemctl = (flags: string) => `#!/bin/bash
serves() { (exec 3<>/dev/tcp/127.0.0.1/443) 2>/dev/null; }
case $1 in
  start)
    /usr/local/bin/derper ${flags} >> /var/log/derper.log 2>&1 & echo $! > /run/derper.pid
    for _ in {1..600}; do serves && exit 0; sleep 0.1; done
    cat /var/log/derper.log; exit 1 ;;
  stop)
    kill $(cat /run/derper.pid)
    for _ in {1..600}; do serves || exit 0; sleep 0.1; done
    exit 1 ;;
esac
`

/** What a machine with the original has: the unit, its program, its certificate; the key is made at its first start. */
const SETUP = (flags: string) => `
ip link set lo up
echo '127.0.0.1 relay.example' >> /etc/hosts
mkdir -p /var/lib/derper/certs /usr/local/sbin /run
cp /tmp/in/relay.example.* /var/lib/derper/certs/
cp /tmp/in/original /usr/local/bin/derper
cat > /usr/local/sbin/systemctl <<'END'
${systemctl(flags)}
END
chmod +x /usr/local/sbin/systemctl
export PATH=/usr/local/sbin:/usr/local/bin:$PATH SSL_CERT_FILE=/tmp/in/ca.pem
cd /tmp/in`

/** Prints a mark, the public key that a client sees with the verdict, and the hashes of all files. */
const LOOK = (mark: string) => `
echo '== ${mark}'
derp doctor relay.example | grep -E 'Server key|No problems' | sed -E 's/ +[0-9]+ ms +/ /'
find /var/lib/derper -type f | sort | xargs sha256sum`

describe.skipIf(!hasGo || !canChangeRoot)('docs/operate/migrate.md', () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'migrate-'))
    copyFileSync((await goTools()).derper, join(folder, 'original'))
    const ca = await TestCa.create('migration authority', 90)
    const { certificate, key } = await ca.issue({
      dns: ['relay.example'],
      notAfter: new Date(Date.now() + 60 * 86_400_000),
    })
    for (const [name, text] of [
      ['ca.pem', ca.certificate],
      ['relay.example.crt', certificate],
      ['relay.example.key', key],
    ])
      writeFileSync(join(folder, name as string), text as string)
    mkdirSync(join(folder, 'build'))
    for (const command of ['derper', 'derp'] as const) {
      const launcher = `#!/bin/sh\nexec ${RUNTIME_PATH} ${commandPath(command)} "$@"\n`
      writeFileSync(join(folder, `build/${command}-linux-x64`), launcher, { mode: 0o755 })
    }
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('leads from the original to ours and back: one key, the same files', async () => {
    const flags = unitFlags()
    expect(flags).toContain('-c /var/lib/derper/derper.key')
    const [copy = '', fetch = '', check = '', swap = '', look = '', ...more] = scriptsOf('Steps')
    expect(more).toEqual([])
    const [back = '', ...rest] = scriptsOf('Roll back')
    expect(rest).toEqual([])
    const steps = [
      SETUP(flags),
      'systemctl start derper',
      copy,
      fetch,
      LOOK('original'),
      "echo '== check'",
      check,
      swap,
      "echo '== look'",
      look,
      LOOK('ours'),
      'derper -version',
      back,
      LOOK('back'),
      "echo '== key'",
      'derp key /var/lib/derper/derper.key',
      'systemctl stop derper',
    ]
    writeFileSync(join(folder, 'steps.sh'), steps.join('\n'))
    const output = await inOverlay(folder, 'exec unshare --net bash -e /tmp/in/steps.sh')
    const [, original = '', checked = '', looked = '', ours = '', reverted = '', key = ''] = output.split(/^== \w+\n/m)

    const publicKey = key.trim()
    expect(publicKey).toMatch(/^nodekey:[0-9a-f]{64}$/)
    expect(checked).toMatch(new RegExp(`^  key: +${publicKey} \\[\\S{5}\\] from /var/lib/derper/derper\\.key$`, 'm'))
    expect(looked).toContain('No problems found.')
    const [first = '', ...files] = original.trim().split('\n')
    expect(first).toMatch(/^ok +Server key \[\S{5}\], as announced in its certificate$/)
    expect(files.length).toBeGreaterThan(3)
    expect(ours).toContain(original.trim())
    expect(reverted.trim()).toBe(original.trim())
  })
})

describe.skipIf(!hasGo)('the self-signed pair that the original made for an address', () => {
  const OURS = [commandPath('derper'), '-drain-time', '0s']
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'migrate-pair-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** The hash of the certificate and the server key that a client meets. */
  async function meet(program: string, ...first: readonly string[]): Promise<{ pin: string; key: string | undefined }> {
    const port = await freePort()
    const listen = ['-a', `127.0.0.1:${port}`, '-http-port', '-1', '-stun=false', '-hostname', '127.0.0.1']
    const files = ['-certmode', 'manual', '-certdir', folder, '-c', join(folder, 'derper.key')]
    const relay = await startProgram(program, [...first, ...listen, ...files])
    try {
      await untilAnswering(port)
      const pin = new X509Certificate(readFileSync(join(folder, '127.0.0.1.crt'))).fingerprint256
      const hash = pin.replaceAll(':', '').toLowerCase()
      const url = `https://127.0.0.1:${port}/derp`
      await using client = new Client(NodePrivateKey.generate(), url, { pin: hash })
      await client.connect()
      return { pin: hash, key: client.serverPublicKey()?.toString() }
    } finally {
      await relay.stop()
    }
  }

  test('stays, so that the pin in the DERP map holds', async () => {
    const { derper } = await goTools()
    const original = await meet(derper)
    expect(original.key).toMatch(/^nodekey:/)
    expect(await meet(RUNTIME_PATH, ...OURS)).toEqual(original)
    expect(await meet(derper)).toEqual(original)
  })
})

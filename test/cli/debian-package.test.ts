/** The package of `npm run build:deb`, installed, used and purged in a root of its own. */

import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canChangeRoot } from '../support/bare-root.ts'
import { hasLintian } from '../support/lintian.ts'
import { inOverlay } from '../support/overlay-root.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { VERSION_LINE } from '../support/version-line.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : 'arm64'
const PACKAGE = `derper_${version}_${ARCHITECTURE}.deb`
const INSTALL = `dpkg -i /tmp/in/${PACKAGE} >/dev/null`

describe.skipIf(!canChangeRoot || !RUNS_ALL)('the Debian package', () => {
  let folder: string
  const script = (name: string, ...args: string[]) => run('node', [`scripts/${name}.ts`, ...args], { cwd: ROOT })
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'derper-deb-'))
    await script('build-binary', '--target', `linux-${process.arch}`, '--out', folder)
    await script('build-deb', '--in', folder, '--out', folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is the same each time', async () => {
    const first = readFileSync(join(folder, PACKAGE))
    await script('build-deb', '--in', folder, '--out', folder)
    expect(Buffer.compare(readFileSync(join(folder, PACKAGE)), first)).toBe(0)
  })

  test('installs commands, a unit, its user, settings and manual pages', async () => {
    const look = [
      // Other programs of that name may come before it.
      '/usr/bin/derper -version',
      '/usr/bin/derp --version',
      'id -un derper',
      'dpkg-query -s derper | grep -o "/etc/derper/.*env" | xargs',
      'systemd-analyze verify /usr/lib/systemd/system/derp*.service && echo verified',
      'stat -c "%a %U" /etc/derper/derper.env /etc/derper/derpprobe.env | xargs',
      'zcat /usr/share/man/man8/derper.8.gz | grep -c "hostname"',
      'ls /usr/share/man/man?/derp* | xargs',
    ]
    const lines = (await inOverlay(folder, [INSTALL, ...look].join('\n'))).trim().split('\n')
    for (const line of lines.slice(0, 2)) expect(line).toMatch(VERSION_LINE.bun)
    expect(lines.slice(2, 4)).toEqual(['derper', '/etc/derper/derper.env /etc/derper/derpprobe.env'])
    expect(lines.slice(4, 6)).toEqual(['verified', '600 root 600 root'])
    expect(Number(lines[6])).toBeGreaterThan(0)
    const pages = ['man1/derp.1.gz', 'man8/derper.8.gz', 'man8/derpprobe.8.gz']
    expect(lines[7]).toBe(pages.map(page => `/usr/share/man/${page}`).join(' '))
  })

  test('serves as its user, with the key where the unit has it', async () => {
    const serve = `
      install -d -o derper -g derper -m 0700 /var/lib/derper
      setpriv --reuid derper --regid derper --clear-groups env -i DERPER_C=/var/lib/derper/derper.key \\
        /usr/bin/derper -a 127.0.0.1:0 -stun=false -http-port -1 >/dev/null 2>/tmp/err &
      relay=$!
      for n in $(seq 100); do grep -q '"msg":"serving"' /tmp/err && break; sleep 0.1; done
      grep -c '"msg":"serving"' /tmp/err || cat /tmp/err
      stat -c "%U %a" /var/lib/derper/derper.key
      kill $relay
      wait $relay`
    expect(await inOverlay(folder, `${INSTALL}\n${serve}`)).toBe('1\nderper 600\n')
  })

  test('removes itself, keeps key and settings until it is purged', async () => {
    const steps = `
      install -d /var/lib/derper && touch /var/lib/derper/derper.key
      dpkg -r derper >/dev/null
      ls /usr/bin/derper 2>/dev/null || echo gone
      ls /etc/derper/derper.env /var/lib/derper/derper.key
      dpkg -P derper >/dev/null 2>&1
      ls -d /etc/derper /var/lib/derper 2>/dev/null || echo purged`
    expect((await inOverlay(folder, `${INSTALL}\n${steps}`)).split('\n')).toEqual([
      'gone',
      '/etc/derper/derper.env',
      '/var/lib/derper/derper.key',
      'purged',
      '',
    ])
  })

  test.skipIf(!hasLintian)('has nothing that lintian calls an error', async () => {
    const { stdout } = await run('lintian', ['--fail-on', 'error', '--allow-root', join(folder, PACKAGE)])
    expect(stdout).not.toMatch(/^E:/m)
  })
})

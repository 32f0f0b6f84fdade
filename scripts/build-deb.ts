/**
 * Builds the Debian package from the single file: `npm run build:deb -- --help`.
 *
 * It installs the commands, units, their user, files of settings and manual pages; the same bytes for the same input.
 */

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { commitSeconds } from './commit.ts'
import { manPages } from './man-pages.ts'

const FILES = 'deploy/debian'
/** Debian's names of processors. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
/** Scripts that dpkg runs. */
const MAINTAINER_SCRIPTS = ['postinst', 'prerm', 'postrm']
/** Of `deploy/systemd`. */
const UNITS = ['derper.service', 'derper@.service', 'derpprobe.service']
const SETTINGS = ['derper.env', 'derpprobe.env']
/** The name of the executable picks the command. */
const LINKS = ['derp', 'derpprobe']

const USAGE = `usage: npm run build:deb -- [options]

Writes derper_VERSION_ARCHITECTURE.deb from the executable of npm run build:binary.

  --arch A      x64 or arm64; default: that of this machine
  --in FOLDER   where the executables are; default: build
  --out FOLDER  default: build
`

interface Package {
  readonly root: string
  readonly arch: string
  readonly executable: string
  readonly version: string
}

/** Writes a file that everybody may read. */
function put(root: string, path: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
  chmodSync(join(root, path), mode)
}

function putCommands({ root, executable }: Package): void {
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  cpSync(executable, join(root, 'usr/bin/derper'))
  chmodSync(join(root, 'usr/bin/derper'), 0o755)
  for (const link of LINKS) symlinkSync('derper', join(root, 'usr/bin', link))
}

function putManPages({ root }: Package): void {
  for (const [name, page] of manPages()) {
    const section = name.slice(name.indexOf('.') + 1)
    put(root, `usr/share/man/man${section}/${name}.gz`, gzipSync(page, { level: 9 }))
  }
}

function putService({ root }: Package): void {
  for (const unit of UNITS) {
    const text = readFileSync(join('deploy/systemd', unit), 'utf8').replace('ExecStart=/usr/local/', 'ExecStart=/usr/')
    put(root, join('usr/lib/systemd/system', unit), text)
  }
  put(root, 'usr/lib/sysusers.d/derper.conf', readFileSync(join(FILES, 'derper.sysusers')))
  // Passwords and tokens may be among the settings, which systemd reads as root.
  for (const name of SETTINGS) put(root, join('etc/derper', name), readFileSync(join('deploy/systemd', name)), 0o600)
}

function putDocuments({ root, executable, version }: Package): void {
  const folder = 'usr/share/doc/derper'
  const licences = readFileSync(join(dirname(executable), 'LICENSES.txt'))
  const others = `Parts of other authors: /usr/share/doc/derper/licences.txt.gz\n`
  put(root, `${folder}/copyright`, `${readFileSync('LICENSE', 'utf8')}\n${others}`)
  put(root, `${folder}/licences.txt.gz`, gzipSync(licences, { level: 9 }))
  const entry = `derper (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md of derphttp ${version}.\n\n`
  const date = new Date(commitSeconds() * 1_000).toUTCString().replace('GMT', '+0000')
  const signature = ` -- ${maintainer()}  ${date}\n`
  put(root, `${folder}/changelog.gz`, gzipSync(entry + signature, { level: 9 }))
  put(root, 'usr/share/lintian/overrides/derper', readFileSync(join(FILES, 'lintian-overrides')))
}

function putControl({ root, arch, executable, version }: Package): void {
  const values: Readonly<Record<string, string>> = {
    VERSION: version,
    ARCHITECTURE: ARCHITECTURES[arch] as string,
    MAINTAINER: maintainer(),
    SIZE: String(Math.ceil(statSync(executable).size / 1_024)),
    GLIBC: newestGlibc(executable),
  }
  const control = readFileSync(join(FILES, 'control'), 'utf8')
  put(
    root,
    'DEBIAN/control',
    control.replace(/@([A-Z]+)@/g, (_, name: string) => values[name] ?? ''),
  )
  put(root, 'DEBIAN/conffiles', SETTINGS.map(name => `/etc/derper/${name}\n`).join(''))
  for (const name of MAINTAINER_SCRIPTS) put(root, `DEBIAN/${name}`, readFileSync(join(FILES, name)), 0o755)
}

/** As Debian's tools name who makes a package. */
function maintainer(): string {
  const { DEBFULLNAME = 'The derphttp authors', DEBEMAIL = 'derphttp@localhost' } = process.env
  return `${DEBFULLNAME} <${DEBEMAIL}>`
}

/** The newest version of glibc of which the executable uses something. */
function newestGlibc(executable: string): string {
  const found = readFileSync(executable)
    .toString('latin1')
    .matchAll(/GLIBC_2\.(\d+)/g)
  return `2.${Math.max(...Array.from(found, ([, minor]) => Number(minor)))}`
}

function main(): number {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: process.arch },
      in: { type: 'string', default: 'build' },
      out: { type: 'string', default: 'build' },
      help: { type: 'boolean', default: false },
    },
  })
  const architecture = ARCHITECTURES[values.arch]
  if (values.help || architecture === undefined) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const executable = join(values.in, `derper-linux-${values.arch}`)
  const root = mkdtempSync(join(tmpdir(), 'derper-deb-'))
  try {
    chmodSync(root, 0o755)
    const built: Package = { root, arch: values.arch, executable, version }
    for (const put of [putCommands, putManPages, putService, putDocuments, putControl]) put(built)
    const file = join(values.out, `derper_${version}_${architecture}.deb`)
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(commitSeconds()) }
    // The executable hardly shrinks further at higher levels, which take minutes.
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Zxz', '-z1', root, file], { env, stdio: 'pipe' })
    process.stdout.write(`${file}\n`)
  } finally {
    rmSync(root, { recursive: true })
  }
  return 0
}

process.exitCode = main()

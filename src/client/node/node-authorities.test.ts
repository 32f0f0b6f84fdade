import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestCa } from '../../../test/support/test-ca.ts'
import { certificatesIn, systemAuthorities } from './node-authorities.ts'

const directory = mkdtempSync(join(tmpdir(), 'authorities-'))
afterAll(() => rmSync(directory, { recursive: true }))
const at = (name: string) => join(directory, name)

let cas: [a: string, b: string, c: string]
beforeAll(async () => {
  const [a, b, c] = (await Promise.all([TestCa.create(), TestCa.create(), TestCa.create()])).map(({ certificate }) =>
    certificate.trim(),
  )
  cas = [a ?? '', b ?? '', c ?? '']
  writeFileSync(at('bundle.pem'), `# ours\r\n${cas[0]}\n${cas[0].replaceAll('\n', '\r\n')}\n`)
  for (const [index, folder] of ['first', 'second'].entries()) {
    mkdirSync(at(folder))
    writeFileSync(join(at(folder), 'ca.pem'), `${cas[index + 1]}\n`)
    symlinkSync('ca.pem', join(at(folder), '1a2b3c4d.0'))
  }
  mkdirSync(join(at('second'), 'folder'))
  writeFileSync(join(at('second'), 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
})

/** Which of the test's certificates were found. */
async function found(env: Record<string, string>) {
  const problems: string[] = []
  const all = await systemAuthorities({ env, onProblem: problem => void problems.push(problem) })
  return { ours: all.filter(pem => cas.includes(pem)), all, problems }
}

test.skipIf(process.platform !== 'linux')(
  'systemAuthorities reads SSL_CERT_FILE, and each folder of SSL_CERT_DIR',
  async () => {
    const [a, b, c] = cas
    const env = { SSL_CERT_FILE: at('bundle.pem'), SSL_CERT_DIR: `${at('first')}::${at('second')}` }
    expect(await found(env)).toMatchObject({ ours: [a, b, c], problems: [] })
    expect((await found({ SSL_CERT_DIR: at('second') })).ours).toEqual([c])
    expect((await found({})).ours).toEqual([])
  },
)

/** What `update-ca-certificates` of Debian and its like writes. */
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

test.skipIf(!existsSync(BUNDLE))(
  'systemAuthorities reads the store of the distribution, in place of Node’s',
  async () => {
    const module = new URL('./node-authorities.ts', import.meta.url)
    const program = `import { systemAuthorities } from '${module}'; console.log(JSON.stringify(await systemAuthorities()))`
    // This process may have extra CAs, such as those of the store.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: '' }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env,
      maxBuffer: 4 << 20,
    })
    const all: string[] = JSON.parse(stdout)
    const store = certificatesIn(readFileSync(BUNDLE, 'utf8')).map(pem => pem.trim())
    expect(all).toEqual(expect.arrayContaining(store))
    // Of Node's others only Let's Encrypt's two roots.
    const others = getCACertificates('bundled').map(pem => pem.trim())
    const added = others.filter(pem => all.includes(pem) && !store.includes(pem))
    expect(added.length).toBeLessThanOrEqual(2)
  },
)

test.skipIf(process.platform !== 'linux')(
  'systemAuthorities trusts what the variables name in place of the store, and Let’s Encrypt',
  async () => {
    const { all, ours } = await found({ SSL_CERT_FILE: at('bundle.pem'), SSL_CERT_DIR: at('first') })
    const extra = getCACertificates('extra').length
    expect(ours).toHaveLength(2)
    // Let's Encrypt's two roots; extra CAs may overlap with them.
    expect(all.length - ours.length).toBeGreaterThanOrEqual(2)
    expect(all.length - ours.length).toBeLessThanOrEqual(2 + extra)
  },
)

test.skipIf(process.platform !== 'linux')(
  'systemAuthorities reports unreadable files, and falls back to the runtime’s CAs without any',
  async () => {
    const { all, problems } = await found({
      SSL_CERT_FILE: at('missing.pem'),
      SSL_CERT_DIR: `${at('bundle.pem')}:${at('gone')}`,
    })
    expect(problems.toSorted()).toEqual([
      expect.stringMatching(/^variable SSL_CERT_DIR names .*bundle\.pem: ENOTDIR.*; its CAs are not trusted$/),
      expect.stringMatching(/^variable SSL_CERT_DIR names .*gone: ENOENT/),
      expect.stringMatching(/^variable SSL_CERT_FILE names .*missing\.pem: ENOENT/),
    ])
    expect(all.length).toBeGreaterThanOrEqual(getCACertificates('bundled').length)
  },
)

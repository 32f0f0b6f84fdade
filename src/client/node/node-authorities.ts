/**
 * The system's CAs, from the same places as in Go.
 *
 * On Linux the runtimes differ in which file they read and whether `SSL_CERT_DIR` may be a list, so they are read here.
 */

import { X509Certificate } from 'node:crypto'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
// Not a named import: an older Node must get as far as the version check.
import tls from 'node:tls'

/** `process.env`, or an object with `SSL_CERT_FILE` and `SSL_CERT_DIR`. */
export type AuthorityEnv = Readonly<Record<string, string | undefined>>

/** Options of {@link systemAuthorities}. */
export interface AuthorityOptions {
  /** Default: neither variable is set; the environment is never read implicitly. */
  readonly env?: AuthorityEnv | undefined
  /** Called for unreadable files and folders of these variables. */
  readonly onProblem?: ((problem: string) => void) | undefined
}

/** Bundles of Linux distributions; the first that exists is read. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]
const FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs']
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
/** Of Let's Encrypt, which the original's DERP client trusts regardless of the system's CAs. */
const LETS_ENCRYPT = 'Internet Security Research Group'

/**
 * PEM of the system's CAs, for `tlsConfig.ca`. `SSL_CERT_FILE` replaces the file, `SSL_CERT_DIR` (colon-separated) the
 * folders. Also includes Let's Encrypt's root and `NODE_EXTRA_CA_CERTS`.
 *
 * Falls back to the runtime's CAs if the system has none.
 *
 * @example
 * ```ts
 * const ca = await systemAuthorities({ env: process.env })
 * const client = new Client(privateKey, url, { tlsConfig: { ca } })
 * ```
 */
export async function systemAuthorities({ env = {}, onProblem }: AuthorityOptions = {}): Promise<string[]> {
  const found = process.platform === 'linux' ? await readStore(env, onProblem) : tls.getCACertificates('system')
  const bundled = byContent(tls.getCACertificates('bundled'))
  // Most are in the runtime as well: parsing all would be a fifth of the time that a command takes to start.
  const usable = [...byContent(found)].filter(([content, pem]) => bundled.has(content) || isCertificate(pem))
  const ofRuntime = usable.length === 0 ? bundled : [...bundled].filter(isLetsEncrypt)
  return [...new Map([...byContent(tls.getCACertificates('extra')), ...ofRuntime, ...usable]).values()]
}

/** PEM of the certificates in a text. */
export function certificatesIn(text: string): string[] {
  return text.match(PEM) ?? []
}

async function readStore(env: AuthorityEnv, onProblem: AuthorityOptions['onProblem']): Promise<string[]> {
  const { SSL_CERT_FILE: file = '', SSL_CERT_DIR: folders = '' } = env
  const named = async (variable: string, path: string, read: (path: string) => Promise<string[]>) => {
    try {
      return await read(path)
    } catch (error) {
      onProblem?.(`variable ${variable} names ${path}: ${(error as Error).message}; its CAs are not trusted`)
      return []
    }
  }
  const ofFile = file === '' ? firstOf(BUNDLES) : named('SSL_CERT_FILE', file, readBundle)
  const ofFolders =
    folders === ''
      ? FOLDERS.map(folder => readFolder(folder).catch(() => []))
      : folders.split(':').flatMap(folder => (folder === '' ? [] : [named('SSL_CERT_DIR', folder, readFolder)]))
  return (await Promise.all([ofFile, ...ofFolders])).flat()
}

async function firstOf(paths: readonly string[]): Promise<string[]> {
  for (const path of paths) {
    const found = await readBundle(path).catch(() => undefined)
    if (found !== undefined) return found
  }
  return []
}

async function readBundle(path: string): Promise<string[]> {
  return certificatesIn(await readFile(path, 'utf8'))
}

/** All certificates of its files. */
async function readFolder(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  const read = names.map(async name => {
    const path = join(folder, name)
    // Each certificate is there twice: by name, and as OpenSSL's hash link.
    const target = await readlink(path).catch(() => '')
    if (names.includes(target) || !(await stat(path)).isFile()) return []
    return await readBundle(path)
  })
  return (await Promise.allSettled(read)).flatMap(result => (result.status === 'fulfilled' ? result.value : []))
}

/** Without duplicates, such as a certificate in a bundle and in its own file: by what is encoded, whatever the length of lines. */
function byContent(pems: readonly string[]): Map<string, string> {
  return new Map(pems.map(pem => [pem.replaceAll(/-----.*-----|\s/g, ''), pem.replaceAll('\r', '').trim()]))
}

/** One certificate that OpenSSL cannot parse must not affect the others. */
function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}

function isLetsEncrypt([content, pem]: readonly [content: string, pem: string]): boolean {
  // Its bytes show quickly which certificate is not worth parsing.
  if (!Buffer.from(content, 'base64').includes(LETS_ENCRYPT)) return false
  return new X509Certificate(pem).subject.split('\n').includes(`O=${LETS_ENCRYPT}`)
}

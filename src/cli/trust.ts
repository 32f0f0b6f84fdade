/** The CAs that commands trust: those of Node, of the system, and of a file. */

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { getCACertificates } from 'node:tls'
import { DerpError } from '../lib/derp-error.ts'

/** PEM of all trusted CAs, including those of `file`. @throws DerpError naming the file. */
export async function trustedAuthorities(file?: string): Promise<string[]> {
  const own = file === undefined ? [] : await readAuthorities(file)
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...own])]
}

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

async function readAuthorities(file: string): Promise<string[]> {
  try {
    const found = (await readFile(file, 'utf8')).match(PEM) ?? []
    if (found.length === 0) throw new Error('no certificate found; it must be PEM')
    for (const pem of found) new X509Certificate(pem)
    return found
  } catch (error) {
    const message = `read CA file ${file}: ${(error as Error).message}`
    throw new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause: error })
  }
}

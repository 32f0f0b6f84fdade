/** CAs that commands trust: the system's, like Go programs, and those of a file. */

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { certificatesIn, systemAuthorities } from '../client/node/node-authorities.ts'
import { DerpError } from '../lib/derp-error.ts'

/** Makes all TLS connections of this process trust the system's CAs. `onProblem` as in {@link systemAuthorities}. */
export async function trustSystem(env: NodeJS.ProcessEnv, onProblem: (problem: string) => void): Promise<void> {
  setDefaultCACertificates(await systemAuthorities({ env, onProblem }))
}

/** Makes them trust the CAs of `file` as well. @throws DerpError naming the file. */
export async function trustAlso(file: string): Promise<void> {
  setDefaultCACertificates(await authoritiesWith(file))
}

/** PEM of this process's CAs and those of `file`. @throws DerpError naming the file. */
export async function authoritiesWith(file: string): Promise<string[]> {
  return [...getCACertificates('default'), ...(await readAuthorities(file))]
}

function unreadable(error: Error): never {
  throw new Error(`${error.message}; name a readable PEM file`, { cause: error })
}

async function readAuthorities(file: string): Promise<string[]> {
  try {
    const found = certificatesIn(await readFile(file, 'utf8').catch(unreadable))
    if (found.length === 0) throw new Error('no certificate found; it must be PEM')
    for (const pem of found) new X509Certificate(pem)
    return found
  } catch (error) {
    const message = `read CA file ${file}: ${(error as Error).message}`
    throw new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause: error })
  }
}

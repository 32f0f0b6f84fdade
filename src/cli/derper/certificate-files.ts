/** Checks certificate files before startup. */

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { TlsSettings } from '../../daemon/settings.ts'
import { checkManualFiles } from '../../tls/files/manual-certs.ts'
import { badSettings } from './settings/setting.ts'

/**
 * The result in words; undefined without certificate files.
 *
 * @throws DerpError with file, reason and remedy, also for a folder that cannot store ACME certificates.
 */
export async function checkCertificateFiles(tls: TlsSettings | undefined): Promise<string | undefined> {
  if (tls === undefined) return undefined
  if (tls.acme !== undefined) {
    await assertCanStore(tls.directory)
    return undefined
  }
  const found = await checkManualFiles(tls)
  if (found === undefined) return 'none yet; one will be generated'
  return found.faults.length === 0 ? 'valid' : `clients will reject them: ${found.faults.join('; ')}`
}

/** Without it every start would order new certificates, which authorities limit to a few per week. */
async function assertCanStore(directory: string): Promise<void> {
  try {
    const folder = await nearestFolder(resolve(directory))
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const remedy = 'name a writable directory with -certdir'
    throw badSettings(`store certificates in ${directory}: ${(error as Error).message}; ${remedy}`, error)
  }
}

/** The folder, or its nearest existing parent. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return nearestFolder(dirname(path))
  if (!found.isDirectory()) throw new Error(`${path} is not a directory`)
  return path
}

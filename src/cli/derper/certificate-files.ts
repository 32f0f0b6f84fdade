/** Certificates in a folder, looked at before anything is started. */

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { TlsSettings } from '../../daemon/settings.ts'
import { checkManualFiles } from '../../tls/files/manual-certs.ts'
import { badSettings } from './settings/setting.ts'

/**
 * What is to be said of them, in words; undefined where none are taken from a folder.
 *
 * @throws DerpError with file, reason and what to do, also for a folder that cannot store what an authority issues.
 */
export async function checkCertificateFiles(tls: TlsSettings | undefined): Promise<string | undefined> {
  if (tls === undefined) return undefined
  if (tls.acme !== undefined) {
    await assertCanStore(tls.directory)
    return undefined
  }
  const found = await checkManualFiles(tls)
  if (found === undefined) return 'none yet, one is made for the address'
  return found.faults.length === 0 ? 'there and fit for use' : `clients will refuse them: ${found.faults.join('; ')}`
}

/** Without the folder each start would order anew, which authorities limit to a few a week. */
async function assertCanStore(directory: string): Promise<void> {
  try {
    const folder = await nearestFolder(resolve(directory))
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const mend = 'name a directory that can be written to with -certdir'
    throw badSettings(`store certificates in ${directory}: ${(error as Error).message}; ${mend}`, error)
  }
}

/** The folder itself, or the one in which it and its parents would be made. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return nearestFolder(dirname(path))
  if (!found.isDirectory()) throw new Error(`${path} is not a directory`)
  return path
}

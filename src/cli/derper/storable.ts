/** Whether files can be created where settings want them. */

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { settingsError } from './settings/setting.ts'

/** The folder may have to be made. @throws DerpError with what was to be done, why it cannot be, and the remedy. */
export function assertCanStore(directory: string, action: string, remedy: string): Promise<void> {
  return assertWritable(nearestFolder(resolve(directory)), action, remedy)
}

/** The folder must be there. @throws DerpError with what was to be done, why it cannot be, and the remedy. */
export function assertCanCreateIn(directory: string, action: string, remedy: string): Promise<void> {
  return assertWritable(directory, action, remedy)
}

async function assertWritable(folder: string | Promise<string>, action: string, remedy: string): Promise<void> {
  try {
    await access(await folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw settingsError(`${action}: ${(error as Error).message}; ${remedy}`, error)
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

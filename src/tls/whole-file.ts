/** Atomic files for certificates and keys. A folder that does not respond costs an attempt, and holds up nothing. */

import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Clock, systemClock } from '../lib/clock.ts'
import { FileAccess } from '../lib/files/node-file-access.ts'
import { TextFile } from '../lib/files/node-text-file.ts'

/**
 * Writes a temporary file and renames it to `path`, creating the folder if missing.
 *
 * Rejects if that fails or takes too long; the write may then still be carried out.
 */
export function writeWhole(path: string, text: string, mode: number, clock: Clock = systemClock): Promise<void> {
  return new FileAccess('write', path, clock, () => writeNow(path, text, mode)).run()
}

async function writeNow(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      // After a power failure the new name must not refer to an empty file.
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The text of a file; undefined if there is none. Rejects if it cannot be read, or does not respond in time. */
export async function readIfPresent(path: string, clock: Clock = systemClock): Promise<string | undefined> {
  try {
    return (await new TextFile(path, clock).read()).text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The file with the relay's private key, in the original's form: `{"PrivateKey":"privkey:…"}`. */

import { mkdirSync, readFileSync } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { NodePrivateKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'

/**
 * Reads the key of `path`, or makes a new one if there is no such file. A file that is there is never written to.
 *
 * @throws DerpError with file, reason and what to do.
 */
export async function loadKeyFile(path: string): Promise<{ key: NodePrivateKey; created: boolean }> {
  const present = parseKeyFile(path)
  if (present !== undefined) return { key: present, created: false }
  const key = NodePrivateKey.generate()
  await createKeyFile(path, key)
  return { key, created: true }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw failure(path, 'read', (error as Error).message, 'check its owner and mode, or name another with -c', error)
  }
}

/** Reads the key of `path`; undefined if there is no such file. @throws DerpError as {@link loadKeyFile}. */
export function parseKeyFile(path: string): NodePrivateKey | undefined {
  const text = readIfPresent(path)
  if (text === undefined) return undefined
  const mend = 'restore it from a backup, or move it away to have a new key made'
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    // The parser's own message quotes the text, which may be a key.
    throw failure(path, 'parse', 'not JSON', mend, error)
  }
  const value = typeof parsed === 'object' && parsed !== null && 'PrivateKey' in parsed ? parsed.PrivateKey : undefined
  if (typeof value !== 'string') throw failure(path, 'parse', 'no text under "PrivateKey"', mend)
  if (!value.startsWith('privkey:')) throw failure(path, 'parse', '"PrivateKey" does not begin with privkey:', mend)
  try {
    const key = NodePrivateKey.parse(value)
    if (!key.isZero()) return key
  } catch (error) {
    throw failure(path, 'parse', (error as Error).message, mend, error)
  }
  throw failure(path, 'parse', 'the key is all zero', mend)
}

/** Writes beside the target first and links it into place: readers see a whole file or none, and none is replaced. */
async function createKeyFile(path: string, key: NodePrivateKey): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify({ PrivateKey: key.exportText() }, null, '\t')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(temporary, path)
  } catch (error) {
    throw failure(
      path,
      'create',
      (error as Error).message,
      'name a file in a directory that can be written to with -c',
      error,
    )
  } finally {
    await rm(temporary, { force: true })
  }
}

function failure(path: string, action: string, reason: string, mend: string, cause?: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `${action} key file ${path}: ${reason}; ${mend}`, { cause })
}

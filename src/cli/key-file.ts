/** The relay's private key file, in the original's format: `{"PrivateKey":"privkey:…"}`. */

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { NodePrivateKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'

/**
 * Reads the key of `path`, or creates the file with a new one. Never writes to an existing file.
 *
 * @throws DerpError with file, reason and remedy.
 */
export async function loadKeyFile(path: string): Promise<{ key: NodePrivateKey; created: boolean }> {
  const present = parseKeyFile(path)
  if (present !== undefined) return { key: present, created: false }
  const key = NodePrivateKey.generate()
  if (await createKeyFile(path, key)) return { key, created: true }
  const other = parseKeyFile(path)
  if (other !== undefined) return { key: other, created: false }
  throw failure(path, 'create', 'it is a broken symbolic link', 'remove it, or name another file with -c')
}

/** Reads the key of a file that must exist. @throws DerpError as {@link loadKeyFile}. */
export function readKeyFile(path: string): NodePrivateKey {
  const key = parseKeyFile(path)
  if (key === undefined) throw new DerpError('ERR_DERP_CONFIG_INVALID', `read key file ${path}: no such file`)
  return key
}

/** A warning about the mode of an existing key file; undefined if only its owner has access. */
export function keyFileNote(path: string): string | undefined {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined || (mode & 0o077) === 0) return undefined
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  return `key file ${path} has mode ${shown}: others can read the relay's private key or replace it; chmod 600 it`
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw failure(
      path,
      'read',
      (error as Error).message,
      'check its owner and mode, or name another file with -c',
      error,
    )
  }
}

/** Reads the key of `path`; undefined if there is no such file. @throws DerpError as {@link loadKeyFile}. */
export function parseKeyFile(path: string): NodePrivateKey | undefined {
  const text = readIfPresent(path)
  if (text === undefined) return undefined
  const remedy = 'restore it from a backup, or move it away to generate a new key'
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    // The parser's message quotes the text, which may be a key.
    throw failure(path, 'parse', 'not JSON', remedy, error)
  }
  const value = typeof parsed === 'object' && parsed !== null && 'PrivateKey' in parsed ? parsed.PrivateKey : undefined
  if (typeof value !== 'string') throw failure(path, 'parse', '"PrivateKey" is not a string', remedy)
  if (!value.startsWith('privkey:')) throw failure(path, 'parse', '"PrivateKey" does not begin with privkey:', remedy)
  try {
    const key = NodePrivateKey.parse(value)
    if (!key.isZero()) return key
  } catch (error) {
    throw failure(path, 'parse', (error as Error).message, remedy, error)
  }
  throw failure(path, 'parse', 'the key is zero', remedy)
}

/**
 * Writes a temporary file and links it into place: readers see a complete file or none, and none is replaced.
 *
 * @returns false if another process created it first.
 */
async function createKeyFile(path: string, key: NodePrivateKey): Promise<boolean> {
  const directory = dirname(path)
  // Not named after the PID, which repeats in a container: a crash may have left such a file.
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    await writeSynced(temporary, `${JSON.stringify({ PrivateKey: key.exportText() }, null, '\t')}\n`)
    await link(temporary, path)
    await syncDirectory(directory)
    return true
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    const room = code === 'ENOSPC' ? 'free space there, or ' : ''
    throw failure(path, 'create', message, `${room}name a file in a writable directory with -c`, error)
  } finally {
    // On a read-only disk Bun fails to remove a missing file; the earlier error is the one that matters.
    await rm(temporary, { force: true }).catch(() => {})
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Without it a power failure can lose the name of a file that was synced. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function failure(path: string, action: string, reason: string, remedy: string, cause?: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `${action} key file ${path}: ${reason}; ${remedy}`, { cause })
}

/** The file with the relay's private key, in the original's form: `{"PrivateKey":"privkey:…"}`. */

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
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
  if (await createKeyFile(path, key)) return { key, created: true }
  const other = parseKeyFile(path)
  if (other !== undefined) return { key: other, created: false }
  throw failure(path, 'create', 'a link is there that leads nowhere', 'remove it, or name another file with -c')
}

/** What is wrong with the mode of a key file that is there; undefined when nobody but its owner can read it. */
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

/**
 * Writes beside the target first and links it into place: readers see a whole file or none, and none is replaced.
 *
 * @returns false if another process was faster.
 */
async function createKeyFile(path: string, key: NodePrivateKey): Promise<boolean> {
  const directory = dirname(path)
  // Not by the process's number, which is the same at each start of a container: one may be left from a crash.
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
    throw failure(path, 'create', message, 'name a file in a directory that can be written to with -c', error)
  } finally {
    await rm(temporary, { force: true })
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

/** Otherwise the name may be lost with the power, though the content is not. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function failure(path: string, action: string, reason: string, mend: string, cause?: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `${action} key file ${path}: ${reason}; ${mend}`, { cause })
}

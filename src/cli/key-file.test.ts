import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodePrivateKey } from '../keys/node-key.ts'
import { keyFileNote, loadKeyFile, parseKeyFile } from './key-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-file-'))
  path = join(directory, 'derper.key')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('loadKeyFile creates a file that only its owner can read, and no others', async () => {
  const { key, created } = await loadKeyFile(path)
  expect([created, statSync(path).mode & 0o777, readdirSync(directory)]).toEqual([true, 0o600, ['derper.key']])
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ PrivateKey: key.exportText() })
  const again = await loadKeyFile(path)
  expect([again.created, again.key.exportText()]).toEqual([false, key.exportText()])
  expect(keyFileNote(path)).toBeUndefined()
})

test('loadKeyFile returns the same key to concurrent creators', async () => {
  const loaded = await Promise.all(Array.from({ length: 8 }, () => loadKeyFile(path)))
  expect(new Set(loaded.map(({ key }) => key.exportText())).size).toBe(1)
  expect(loaded.filter(({ created }) => created)).toHaveLength(1)
  expect(readdirSync(directory)).toEqual(['derper.key'])
})

test('loadKeyFile creates missing folders with access for their owner only', async () => {
  const nested = join(directory, 'a', 'b', 'derper.key')
  await loadKeyFile(nested)
  expect(statSync(join(directory, 'a')).mode & 0o777).toBe(0o700)
})

test('loadKeyFile does not write through a broken symbolic link', async () => {
  const target = join(directory, 'elsewhere')
  symlinkSync(target, path)
  await expect(loadKeyFile(path)).rejects.toThrow(/^create key file .*: it is a broken symbolic link; remove it/)
  expect(readdirSync(directory)).toEqual(['derper.key'])
})

test('loadKeyFile fails with action, reason and remedy', async () => {
  mkdirSync(path)
  await expect(loadKeyFile(path)).rejects.toThrow(/^read key file .*EISDIR.*; check its owner and mode/)
  writeFileSync(join(directory, 'file'), '')
  await expect(loadKeyFile(join(directory, 'file', 'derper.key'))).rejects.toThrow(/key file .*ENOTDIR/)
})

test.each([0o644, 0o640, 0o604, 0o620])('keyFileNote warns of mode %o', async mode => {
  const key = NodePrivateKey.generate()
  writeFileSync(path, JSON.stringify({ PrivateKey: key.exportText() }))
  chmodSync(path, mode)
  expect(keyFileNote(path)).toBe(
    `key file ${path} has mode 0${mode.toString(8)}: others can read the relay's private key or replace it; chmod 600 it`,
  )
  expect(parseKeyFile(path)?.exportText()).toBe(key.exportText())
  expect(statSync(path).mode & 0o777).toBe(mode)
})

test('keyFileNote is undefined for a missing file', () => {
  expect(keyFileNote(path)).toBeUndefined()
})

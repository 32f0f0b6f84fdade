import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { until } from '../../../test/support/settle.ts'
import { foldersOf, WatchedFolders, watchableFoldersOf } from './node-watched-folders.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'watched-folders-')))
let top: string

beforeEach(() => {
  top = mkdtempSync(join(root, 'top-'))
})
afterAll(() => rmSync(root, { recursive: true }))

test('foldersOf a file is its folder, whether or not it exists (P-146)', async () => {
  expect([...(await foldersOf(join(top, 'a.crt')))]).toEqual([top])
  expect([...(await foldersOf(join(top, 'none', 'a.crt')))]).toEqual([join(top, 'none')])
})

test('foldersOf a link as certbot creates it are the folders of both ends (P-146)', async () => {
  mkdirSync(join(top, 'archive'))
  mkdirSync(join(top, 'live'))
  mkdirSync(join(top, 'certs'))
  writeFileSync(join(top, 'archive', 'cert1.pem'), '')
  symlinkSync('../archive/cert1.pem', join(top, 'live', 'cert.pem'))
  symlinkSync(join(top, 'live', 'cert.pem'), join(top, 'certs', 'a.crt'))
  const folders = await foldersOf(join(top, 'certs', 'a.crt'))
  expect([...folders].sort()).toEqual(['archive', 'certs', 'live'].map(name => join(top, name)))
})

test('foldersOf a link through a linked folder, as Kubernetes makes it, are both folders (P-146)', async () => {
  mkdirSync(join(top, '..2026'))
  writeFileSync(join(top, '..2026', 'a.crt'), '')
  symlinkSync('..2026', join(top, '..data'))
  symlinkSync('..data/a.crt', join(top, 'a.crt'))
  expect([...(await foldersOf(join(top, 'a.crt')))].sort()).toEqual([top, join(top, '..2026')])
})

test('foldersOf a file in a linked folder are the folder, and that of the link (P-146)', async () => {
  mkdirSync(join(top, 'releases', '1'), { recursive: true })
  mkdirSync(join(top, 'etc'))
  symlinkSync('../releases/1', join(top, 'etc', 'certs'))
  const folders = await foldersOf(join(top, 'etc', 'certs', 'a.crt'))
  expect([...folders].sort()).toEqual([join(top, 'etc'), join(top, 'releases', '1')])
})

test('foldersOf terminates for circular links (P-146)', async () => {
  symlinkSync('b.crt', join(top, 'a.crt'))
  symlinkSync('a.crt', join(top, 'b.crt'))
  expect([...(await foldersOf(join(top, 'a.crt')))]).toEqual([top])
})

test('watchableFoldersOf leaves out folders on network file systems, where asking may block, and missing ones (P-146)', async () => {
  mkdirSync(join(top, 'remote'))
  writeFileSync(join(top, 'remote', 'a.crt'), '')
  symlinkSync('remote/a.crt', join(top, 'a.crt'))
  const [here, remote] = [top, join(top, 'remote')]
  expect([...(await watchableFoldersOf(join(top, 'a.crt')))].sort()).toEqual([here, remote])
  const NFS = 0x6969
  const typeOf = async (folder: string) => (folder === remote ? NFS : 0xef53)
  expect([...(await watchableFoldersOf(join(top, 'a.crt'), typeOf))]).toEqual([here])
  expect([...(await watchableFoldersOf(join(top, 'none', 'a.crt')))]).toEqual([])
})

test('WatchedFolders reports changes in the current folders, and ignores missing ones (P-146)', async () => {
  const [first, second] = ['first', 'second'].map(name => join(top, name)) as [string, string]
  mkdirSync(first)
  mkdirSync(second)
  let changes = 0
  const folders = new WatchedFolders(() => changes++)
  try {
    folders.set(new Set([first, join(top, 'none')]))
    writeFileSync(join(first, 'a'), '')
    await until(() => changes > 0, 'a change is reported')
    folders.set(new Set([second]))
    changes = 0
    writeFileSync(join(first, 'b'), '')
    writeFileSync(join(second, 'b'), '')
    await until(() => changes > 0, 'a change in the other folder is reported')
  } finally {
    folders.close()
  }
})

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { FILE_LIMIT_MS } from './node-file-access.ts'
import { type OpenFile, TextFile } from './node-text-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'text-file-'))
  path = join(directory, 'file')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('TextFile returns the same object until the content changes, and detects replacement', async () => {
  writeFileSync(path, 'one')
  const file = new TextFile(path, new FakeClock())
  const first = await file.read()
  expect(first.text).toBe('one')
  expect(await file.read()).toBe(first)
  writeFileSync(path, 'one')
  expect(await file.read()).toBe(first)
  writeFileSync(path, 'two')
  expect(await file.read()).toMatchObject({ text: 'two', inode: first.inode })
  // Two changes within one tick of the file system's clock.
  writeFileSync(path, '222')
  expect((await file.read()).text).toBe('222')
  writeFileSync(`${path}.new`, '222')
  renameSync(`${path}.new`, path)
  const replaced = await file.read()
  expect(replaced.text).toBe('222')
  expect(replaced.inode).not.toBe(first.inode)
})

test('TextFile rejects pipes and directories at once', async () => {
  execFileSync('mkfifo', [path])
  mkdirSync(join(directory, 'folder'))
  const read = (name: string) => new TextFile(join(directory, name), new FakeClock()).read()
  await expect(read('file')).rejects.toThrow('not a regular file')
  await expect(read('folder')).rejects.toThrow('not a regular file')
  await expect(read('none')).rejects.toThrow('ENOENT')
  expect((await new TextFile('/dev/null', new FakeClock()).read()).text).toBe('')
  await expect(new TextFile('/dev/zero', new FakeClock()).read()).rejects.toThrow('longer than 256 MiB')
})

test('TextFile times out on a file that does not respond, opens it only once, and recovers', async () => {
  writeFileSync(path, 'at last')
  const clock = new FakeClock()
  const mount = Promise.withResolvers<void>()
  let opened = 0
  const { open } = await import('node:fs/promises')
  const openFile: OpenFile = async name => {
    opened++
    await mount.promise
    return open(name)
  }
  const file = new TextFile(path, clock, openFile)
  for (let i = 0; i < 2; i++) {
    const reading = expect(file.read()).rejects.toThrow('no response after 10s; it may be on a dead mount')
    await settle()
    clock.advance(FILE_LIMIT_MS)
    await reading
  }
  expect(opened).toBe(1)

  // A second file takes the last slot; a third has to wait.
  const second = new TextFile(path, clock, openFile)
  const third = new TextFile(path, clock)
  const failures = [second, third].map(each => each.read().catch((error: unknown) => String(error)))
  await settle()
  clock.advance(FILE_LIMIT_MS)
  const [ofSecond, ofThird] = await Promise.all(failures)
  expect(ofSecond).toMatch(/it may be on a dead mount$/)
  expect(ofThird).toMatch(/other files do not respond$/)
  mount.resolve()
  expect((await file.read()).text).toBe('at last')
  expect((await third.read()).text).toBe('at last')
})

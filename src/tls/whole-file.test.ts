import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { FILE_LIMIT_MS, FileAccess } from '../lib/files/node-file-access.ts'
import { readIfPresent, writeWhole } from './whole-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'whole-file-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('writeWhole creates the folder and leaves only the file, with its mode', async () => {
  const path = join(directory, 'new', 'file')
  await writeWhole(path, 'one', 0o600)
  await writeWhole(path, 'two', 0o600)
  expect(readFileSync(path, 'utf8')).toBe('two')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(directory, 'new'))).toEqual(['file'])
})

test('readIfPresent tells a missing file from one that cannot be read, such as a pipe', async () => {
  expect(await readIfPresent(join(directory, 'none'))).toBeUndefined()
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  await expect(readIfPresent(pipe)).rejects.toThrow('not a regular file')
})

test('a write to a hung mount rejects in time, and does not delay reads', async () => {
  const clock = new FakeClock()
  const mount = Promise.withResolvers<void>()
  const stuck = new FileAccess('write', '/dead/file', clock, () => mount.promise).run()
  const behind = writeWhole(join(directory, 'behind'), 'late', 0o600, clock)
  const failures = Promise.all([
    expect(stuck).rejects.toThrow('no response after 10s; it may be on a dead mount'),
    expect(behind).rejects.toThrow('no response after 10s; other files do not respond'),
  ])
  await settle()
  expect(await readIfPresent(join(directory, 'new', 'file'))).toBe('two')
  clock.advance(FILE_LIMIT_MS)
  await failures
  mount.resolve()
  await writeWhole(join(directory, 'later'), 'there', 0o600)
  expect(readdirSync(directory)).toContain('later')
})

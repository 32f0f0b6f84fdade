import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { untilPolled } from '../../../test/support/watching.ts'
import { SecretFile } from './secret-file.ts'

test('SecretFile follows its file, and is undefined while that cannot be read (P-190)', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'debug-key-'))
  const path = join(directory, 'key')
  const clock = new FakeClock()
  const key = new SecretFile(path, clock)
  const poll = async () => {
    clock.advance(2_000)
    await untilPolled(clock)
    return key.value
  }
  try {
    await key.start()
    expect(key.value).toBeUndefined()
    writeFileSync(path, ' one\n')
    expect(await poll()).toBe('one')
    writeFileSync(path, 'other')
    expect(await poll()).toBe('other')
    rmSync(path)
    expect(await poll()).toBeUndefined()
    key.close()
    expect(clock.pendingTimers).toBe(0)
  } finally {
    rmSync(directory, { recursive: true })
  }
  const none = new SecretFile(undefined, clock)
  await none.start()
  expect([none.value, clock.pendingTimers]).toEqual([undefined, 0])
})

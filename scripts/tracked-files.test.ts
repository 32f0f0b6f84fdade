import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

test('nothing that is built is part of the repository', () => {
  const args = ['ls-files', '--cached', '--ignored', '--exclude-standard']
  expect(execFileSync('git', args, { encoding: 'utf8' })).toBe('')
})

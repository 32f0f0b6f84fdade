import { expect, test } from 'vitest'
import { AcmeError } from './acme-error.ts'

test('what an authority says is told on one line, and not at length (P-149)', () => {
  expect(new AcmeError('no\r\n  such\taccount').message).toBe('no such account')
  expect(new AcmeError('no\n'.repeat(10_000)).message).toMatch(/^(?:no ){166}n…$/)
})

import { expect, test } from 'vitest'
import { withoutSecrets } from './shown-command-line.ts'

const TABLE = {
  a: { kind: 'string', default: '', help: '' },
  token: { kind: 'string', default: '', help: '', secret: true },
} as const

test('withoutSecrets hides the values of secret flags, and nothing else', () => {
  const args = ['node', 'derper', '-a', ':443', '-token', 'x', '--token=y=z', '-token=', '-a=token', '-a', 'x']
  expect(withoutSecrets(args, TABLE)).toEqual([
    'node',
    'derper',
    '-a',
    ':443',
    '-token',
    '…',
    '--token=…',
    '-token=…',
    '-a=token',
    '-a',
    'x',
  ])
})

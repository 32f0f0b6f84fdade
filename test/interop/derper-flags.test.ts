import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { goTools, hasGo } from '../support/go-tools.ts'

interface OriginalFlag {
  readonly kind: string
  readonly default: string | null
}

const file = join(import.meta.dirname, '../golden/derper-flags.json')
const golden = JSON.parse(readFileSync(file, 'utf8')) as { flags: Record<string, Record<string, OriginalFlag>> }
const expected = golden.flags['v1.84.1'] ?? {}

/** Types and defaults from Go's output, which omits zero defaults and quotes a word of the help as type. */
function parseHelp(text: string): Record<string, OriginalFlag> {
  const entries = Array.from(
    text.matchAll(/^ {2}-(\S+)(?: (\S+))?\n(.*)$/gm),
    ([, name = '', kind = 'bool', help = '']) => {
      const [, value = ''] = /\(default "?([^"]*?)"?\)$/.exec(help) ?? []
      const known = /^(?:bool|int|float|string|duration)$/.test(kind) ? kind : 'string'
      return [name, { kind: known, default: known === 'bool' && value === '' ? 'false' : value }] as const
    },
  )
  return Object.fromEntries(entries)
}

describe.skipIf(!hasGo)('the flags of stock derper', () => {
  test('match those that ours are compared with', async () => {
    const { derper } = await goTools()
    const help = await new Promise<string>(resolve =>
      execFile(derper, ['-help'], (_error, _out, text) => resolve(text)),
    )
    const found = parseHelp(help)
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(expected).toSorted())
    for (const [name, flag] of Object.entries(expected)) {
      // Those that depend on the machine were not captured.
      expect([name, { ...found[name], ...(flag.default === null && { default: null }) }]).toEqual([name, flag])
    }
  })
})

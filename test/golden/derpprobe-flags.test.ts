import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DERPPROBE_FLAGS, DERPPROBE_SECTIONS } from '../../src/cli/derpprobe/probe-flags.ts'
import type { FlagSpec } from '../../src/cli/go-flags.ts'

interface OriginalFlag {
  readonly kind: string
  readonly default: string | null
}

const file = join(import.meta.dirname, 'derpprobe-flags.json')
const { flags: releases } = JSON.parse(readFileSync(file, 'utf8')) as {
  flags: Record<'v1.84.1' | 'v1.104.7', Record<string, OriginalFlag>>
}
const originals: Record<string, OriginalFlag> = { ...releases['v1.84.1'], ...releases['v1.104.7'] }
const ours: Readonly<Record<string, FlagSpec>> = DERPPROBE_FLAGS

test('each flag of the original derpprobe is known', () => {
  expect(Object.keys(originals)).toHaveLength(20)
  expect(Object.keys(originals).filter(name => !Object.hasOwn(ours, name))).toEqual([])
})

test.each(Object.keys(originals))('derpprobe -%s takes what the original takes, by the same default', name => {
  const original = originals[name] as OriginalFlag
  expect(ours[name]?.kind).toBe(original.kind)
  if (original.default !== null) expect(ours[name]?.default).toBe(original.default)
})

test('each flag of derpprobe belongs to one topic', () => {
  const names = DERPPROBE_SECTIONS.flatMap(({ flags }) => Object.keys(flags))
  expect(names.toSorted()).toEqual(Object.keys(ours).toSorted())
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DERPER_FLAGS, DERPER_SECTIONS } from '../../src/cli/derper/derper-flags.ts'
import type { DerperFlag } from '../../src/cli/derper/flags/derper-flag.ts'

interface OriginalFlag {
  readonly kind: string
  readonly default: string | null
}

const file = join(import.meta.dirname, 'derper-flags.json')
const { flags: releases } = JSON.parse(readFileSync(file, 'utf8')) as {
  flags: Record<'v1.84.1' | 'v1.104.5', Record<string, OriginalFlag>>
}
const originals: Record<string, OriginalFlag> = { ...releases['v1.104.5'], ...releases['v1.84.1'] }
const ours: Readonly<Record<string, DerperFlag>> = DERPER_FLAGS

/** Defaults that differ, and why. */
const OTHER_DEFAULTS: Readonly<Record<string, string>> = {
  'accept-connection-burst': 'by the one of the original, -accept-connection-limit alone limits nothing',
  hostname: 'the original names a relay of its own makers, for which nobody else gets a certificate',
}

test('all flags of the original are known', () => {
  expect(Object.keys(originals).filter(name => !Object.hasOwn(ours, name))).toEqual([])
})

test.each(Object.keys(originals))('-%s has the original’s type and default', name => {
  const original = originals[name] as OriginalFlag
  expect(ours[name]?.kind).toBe(original.kind)
  if (original.default === null || Object.hasOwn(OTHER_DEFAULTS, name)) return
  expect(ours[name]?.default).toBe(original.default)
})

test('the origin of each flag is correct', () => {
  const originOf = (name: string) =>
    Object.hasOwn(releases['v1.84.1'], name) ? 'original' : Object.hasOwn(releases['v1.104.5'], name) ? 'newer' : 'ours'
  for (const [name, { origin }] of Object.entries(ours)) expect([name, origin]).toEqual([name, originOf(name)])
})

test('each flag belongs to one topic', () => {
  const names = DERPER_SECTIONS.flatMap(({ flags }) => Object.keys(flags))
  expect(names.toSorted()).toEqual(Object.keys(ours).toSorted())
})

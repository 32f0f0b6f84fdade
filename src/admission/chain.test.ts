import { expect, test } from 'vitest'
import { requestOf } from '../../test/support/admission.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import { allOf, anyOf } from './chain.ts'
import { type Policy, SourceDownError } from './policy.ts'

const yes = (by: string): Policy => ({ admit: async () => ({ admit: true, by }) })
const no = (reason: string): Policy => ({
  admit: async () => ({ admit: false, cause: DenialReason.KeyNotListed, reason }),
})
const down: Policy = { admit: async () => Promise.reject(new SourceDownError('url', 'down', { isTransport: true })) }
const unasked: Policy = { admit: () => Promise.reject(new Error('must not be asked')) }

test('allOf requires every policy to approve, and stops at the first that does not (P-040)', async () => {
  expect(await allOf([yes('a'), yes(''), yes('b')]).admit(requestOf())).toEqual({ admit: true, by: 'a, b' })
  expect(await allOf([yes('a'), no('first'), unasked]).admit(requestOf())).toMatchObject({ reason: 'first' })
  await expect(allOf([yes('a'), down, unasked]).admit(requestOf())).rejects.toThrow('down')
})

test('anyOf requires one policy to approve, and skips the rest (P-040)', async () => {
  expect(await anyOf([no('first'), yes('b'), unasked]).admit(requestOf())).toEqual({ admit: true, by: 'b' })
  expect(await anyOf([down, yes('b')]).admit(requestOf())).toEqual({ admit: true, by: 'b' })
  expect(await anyOf([no('first'), no('last')]).admit(requestOf())).toMatchObject({ reason: 'last' })
  await expect(anyOf([no('first'), down, no('last')]).admit(requestOf())).rejects.toThrow('down')
})

import { expect, test } from 'vitest'
import { DEFAULTS, type ResilientNumber, resolveResilientOptions } from './resilient-options.ts'

const createClient = () => {
  throw new Error('not called')
}

test('resolveResilientOptions applies defaults', () => {
  const options = resolveResilientOptions({ targets: ['a'], createClient, sendWaitMs: 7, pingIntervalMs: undefined })
  expect(options).toMatchObject({ ...DEFAULTS, sendWaitMs: 7 })
  expect(options.nameOf('a')).toBe('a')
  expect(options.isSame('a', 'a')).toBe(true)
  expect(options.isSame('a', 'b')).toBe(false)
})

test('resolveResilientOptions treats equal URLs as the same target, other objects by identity', () => {
  const { isSame } = resolveResilientOptions<unknown>({ targets: [], createClient })
  expect(isSame(new URL('http://a/'), new URL('http://a/'))).toBe(true)
  expect(isSame(new URL('http://a/'), new URL('http://b/'))).toBe(false)
  expect(isSame({ a: 1 }, { a: 1 })).toBe(false)
})

test.each(Object.keys(DEFAULTS) as ResilientNumber[])('resolveResilientOptions rejects %s out of bounds', name => {
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => resolveResilientOptions({ targets: [], createClient, [name]: value })).toThrow(
      expect.objectContaining({ code: 'ERR_DERP_CONFIG_INVALID', message: expect.stringContaining(name) }),
    )
  }
})

test.each(['backoff', 'denied'])('resolveResilientOptions rejects %s limits that cross', name => {
  const crossed = { [`${name}MinMs`]: 2_000, [`${name}MaxMs`]: 1_000 }
  expect(() => resolveResilientOptions({ targets: [], createClient, ...crossed })).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_CONFIG_INVALID' }),
  )
})

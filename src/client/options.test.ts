import { expect, test } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { DEFAULTS, resolveConnectionOptions, resolveNumber } from './options.ts'

test('resolveConnectionOptions applies defaults to missing and undefined options', () => {
  expect(resolveConnectionOptions({ isProber: true, readTimeoutMs: undefined })).toMatchObject({
    meshKey: undefined,
    isProber: true,
    canAckPings: false,
    clock: systemClock,
    readTimeoutMs: DEFAULTS.readTimeoutMs,
    receiveQueueBytes: DEFAULTS.receiveQueueBytes,
  })
})

test('DEFAULTS are the original’s (P-094, P-202)', () => {
  expect(DEFAULTS).toMatchObject({ readTimeoutMs: 120_000, connectTimeoutMs: 10_000 })
})

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('resolveNumber rejects %d and names the option', value => {
  expect(() => resolveNumber('connectTimeoutMs', value)).toThrow(
    expect.objectContaining({
      code: 'ERR_DERP_CONFIG_INVALID',
      message: `set client option connectTimeoutMs to ${value}: not within 1 and 3600000`,
    }),
  )
})

test.each(['', 'x'.repeat(33), 'näme', 'a\nb'])('an appName that relays would drop is refused: %j', appName => {
  expect(() => resolveConnectionOptions({ appName })).toThrow(
    expect.objectContaining({
      code: 'ERR_DERP_CONFIG_INVALID',
      message: `set client option appName to ${JSON.stringify(appName)}: not 1 to 32 printable ASCII characters`,
    }),
  )
})

import { expect, test } from 'vitest'
import { MeshKey } from '../keys/mesh-key.ts'
import { nodeAgreement } from '../keys/node-box.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { DEFAULTS, type RelayCoreOptions, resolveOptions } from './options.ts'

const REQUIRED = { privateKey: NodePrivateKey.generate(), agreement: nodeAgreement }
const resolve = (options: Partial<RelayCoreOptions>) => resolveOptions({ ...REQUIRED, ...options })

test('resolveOptions applies the original’s defaults (P-035, P-090, P-100, P-101)', async () => {
  const resolved = resolve({})
  expect(resolved).toEqual({
    ...REQUIRED,
    loginTimeoutMs: 10_000,
    writeTimeoutMs: 2_000,
    meshWriteTimeoutMs: 30_000,
    keepAliveMs: 60_000,
    keepAliveJitterMs: 5_000,
    sendQueuePackets: 32,
    maxQueuedBytes: 2 ** 30,
    maxWriteBytes: 65_536,
    maxClients: 0,
    pingClientsMs: 0,
    tellHealth: false,
    totalRate: 0,
    shareLedger: undefined,
    announcedLimits: { tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 },
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    meshKey: undefined,
    rateLimit: undefined,
    admission: resolved.admission,
  })
  const request = { clientKey: REQUIRED.privateKey.publicKey(), info: { canAckPings: false, isProber: false } }
  expect(await resolved.admission.admit({ ...request, remote: undefined })).toEqual({ admit: true })
})

test('resolveOptions keeps given options', () => {
  const given = {
    meshKey: MeshKey.parse('ab'.repeat(32)),
    rateLimit: { bytesPerSecond: 1, burstBytes: 2 },
    admission: { admit: async () => ({ admit: false, reason: 'nobody' }) as const },
    keepAliveMs: 1_000,
    tellHealth: true,
  }
  expect(resolve(given)).toMatchObject(given)
})

const BOUNDS: [name: keyof typeof DEFAULTS, min: number, max: number][] = [
  ['loginTimeoutMs', 1, 3_600_000],
  ['writeTimeoutMs', 0, 3_600_000],
  ['meshWriteTimeoutMs', 0, 3_600_000],
  ['keepAliveMs', 1, 86_400_000],
  ['keepAliveJitterMs', 0, 86_400_000],
  ['sendQueuePackets', 1, 65_536],
  ['maxClients', 0, 16 << 20],
  ['maxWriteBytes', 1, 16_777_216],
  ['pingClientsMs', 0, 3_600_000],
  ['totalRate', 0, 2 ** 40],
  ['maxQueuedBytes', 0, Number.MAX_SAFE_INTEGER],
]
test.each(BOUNDS)('resolveOptions accepts %s from %d to %d, and names it when out of range', (name, min, max) => {
  expect(resolve({ [name]: min })[name]).toBe(min)
  expect(resolve({ [name]: max })[name]).toBe(max)
  for (const value of [min - 1, max + 1, Number.NaN]) {
    expect(() => resolve({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'ERR_DERP_CONFIG_INVALID',
        message: `set relay option ${name} to ${value}: not within ${min} and ${max}`,
      }),
    )
  }
})

test('resolveOptions refuses a number that came as text', () => {
  expect(() => resolve({ keepAliveMs: '5000' as unknown as number })).toThrow(
    'set relay option keepAliveMs to 5000: a string, not a number',
  )
})

test('DEFAULTS are within bounds, all of which are tested, and frozen', () => {
  expect(BOUNDS.map(([name]) => name).toSorted()).toEqual(Object.keys(DEFAULTS).toSorted())
  expect(Object.isFrozen(DEFAULTS)).toBe(true)
})

test('resolveOptions rejects the all-zero private key (P-020)', () => {
  const { privateKey } = REQUIRED
  const zero = Object.create(privateKey, { isZero: { value: () => true } }) as NodePrivateKey
  expect(() => resolve({ privateKey: zero })).toThrow('the key is zero')
})

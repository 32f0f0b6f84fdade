// Login JSON against a model of the original's parser: member by member, in order.

import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import { ProtocolError } from '../../src/lib/derp-error.ts'
import { formatClientInfo, parseClientInfo } from '../../src/protocol/client-info.ts'
import { formatServerInfo, parseServerInfo } from '../../src/protocol/server-info.ts'
import { anyCharacter } from '../support/arbitrary-text.ts'
import { fc } from '../support/fast-check.ts'

const RUNS = { seed: 1, numRuns: 2_000 }

interface Member {
  readonly key: string
  /** JSON text of the value. */
  readonly value: string
}

/** Any letter case of a name. */
const inAnyCase = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map(upper =>
      Array.from(name, (letter, i) => (upper[i] === true ? letter.toUpperCase() : letter.toLowerCase())).join(''),
    )

const unknownKey = fc.oneof(
  fc.constantFrom('mesh_key', 'versions', 'CanAck', '', '__proto__', 'constructor', 'TokenBucket', '{', '"', '\\'),
  fc.string({ unit: anyCharacter, maxLength: 6 }).filter(key => !/^version$/i.test(key)),
)
const number = fc.oneof(
  fc.constantFrom(
    '0',
    '2',
    '-7',
    '1.0',
    '1.5',
    '1e3',
    '-0',
    '1E-2',
    '9223372036854775807',
    '9223372036854775808',
    '123456789012345678901',
  ),
  fc.integer().map(String),
)
const string = fc
  .oneof(fc.string({ maxLength: 40 }), fc.constantFrom('', 'null', '}', '],"version":"x"', '\\', '"'))
  .map(text => JSON.stringify(text))
const composite = fc.oneof(
  fc.constantFrom('[]', '{}', '[{"version":[1,"}"]}]', '{"meshKey":null,"x":{"version":0}}'),
  fc.json({ maxDepth: 2 }),
)
const value = fc.oneof(number, string, fc.constantFrom('true', 'false', 'null'), composite)

const typed: Record<string, fc.Arbitrary<string>> = {
  meshKey: string,
  version: number,
  CanAckPings: fc.constantFrom('true', 'false'),
  IsProber: fc.constantFrom('true', 'false'),
  AppName: string,
  TokenBucketBytesPerSecond: number,
  TokenBucketBytesBurst: number,
}

/** Members, mostly of `names`; some repeat, are null or have another type. */
function membersOf(names: readonly string[]): fc.Arbitrary<Member[]> {
  const fitting = fc.constantFrom(...names).chain(name =>
    fc.record({
      key: fc.oneof(fc.constant(name), inAnyCase(name)),
      value: fc.oneof({ weight: 8, arbitrary: typed[name] ?? value }, { weight: 1, arbitrary: fc.constant('null') }),
    }),
  )
  const unfit = fc.record({ key: fc.constantFrom(...names), value })
  const unknown = fc.record({ key: unknownKey, value })
  const member = fc.oneof(
    { weight: 10, arbitrary: fitting },
    { weight: 1, arbitrary: unfit },
    { weight: 4, arbitrary: unknown },
  )
  return fc.array(member, { maxLength: 7 })
}

const space = fc.constantFrom('', '', ' ', '\n', '\t\r\n  ')

/** The members as one object, with spacing. */
const textOf = (members: readonly Member[], gap: string) =>
  `${gap}{${members.map(({ key, value }) => `${gap}${JSON.stringify(key)}${gap}:${gap}${value}${gap}`).join(',')}}${gap}`

type Kind = 'string' | 'boolean' | 'integer' | 'any'

function fits(value: string, kind: Kind): boolean {
  if (kind === 'any') return true
  if (kind === 'string') return value.startsWith('"')
  if (kind === 'boolean') return value === 'true' || value === 'false'
  return /^-?\d+$/.test(value) && BigInt(value) >= -(2n ** 63n) && BigInt(value) < 2n ** 63n
}

/** Fields by name, or undefined if the original rejects the object. */
function modelOf(
  members: readonly Member[],
  kinds: Readonly<Record<string, Kind>>,
): Record<string, unknown> | undefined {
  const fields: Record<string, unknown> = {}
  for (const { key, value } of members) {
    const name = Object.keys(kinds).find(known => known.toLowerCase() === key.toLowerCase())
    if (name === undefined || value === 'null') continue
    if (!fits(value, kinds[name] as Kind)) return undefined
    fields[name] = JSON.parse(value)
  }
  return fields
}

/** The result of `parse`, or undefined for an expected error. */
function outcome<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
    return undefined
  }
}

test('parseClientInfo reads each member like the original (P-033)', () => {
  const kinds = {
    meshKey: 'string',
    version: 'integer',
    CanAckPings: 'boolean',
    IsProber: 'boolean',
    AppName: 'any',
  } as const
  const seen = { read: 0, refused: 0 }
  fc.assert(
    fc.property(membersOf(Object.keys(kinds)), space, (members, gap) => {
      const fields = modelOf(members, kinds)
      const info = outcome(() => parseClientInfo(encodeUtf8(textOf(members, gap))))
      seen[fields === undefined ? 'refused' : 'read']++
      if (fields === undefined) {
        expect(info).toBeUndefined()
        return
      }
      const appName = fields['AppName']
      const isName = typeof appName === 'string' && /^[\x20-\x7e]{1,32}$/.test(appName)
      expect(info).toEqual({
        ...('version' in fields && { version: fields['version'] }),
        ...('meshKey' in fields && { meshKey: fields['meshKey'] }),
        ...(isName && { appName }),
        canAckPings: fields['CanAckPings'] ?? false,
        isProber: fields['IsProber'] ?? false,
      })
    }),
    RUNS,
  )
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(300)
})

test('parseServerInfo reads each member like the original (P-034)', () => {
  const kinds = { version: 'integer', TokenBucketBytesPerSecond: 'integer', TokenBucketBytesBurst: 'integer' } as const
  const seen = { read: 0, refused: 0 }
  fc.assert(
    fc.property(membersOf(Object.keys(kinds)), space, (members, gap) => {
      const fields = modelOf(members, kinds)
      const info = outcome(() => parseServerInfo(encodeUtf8(textOf(members, gap))))
      seen[fields === undefined ? 'refused' : 'read']++
      expect(info).toEqual(
        fields && {
          ...('version' in fields && { version: fields['version'] }),
          tokenBucketBytesPerSecond: fields['TokenBucketBytesPerSecond'] ?? 0,
          tokenBucketBytesBurst: fields['TokenBucketBytesBurst'] ?? 0,
        },
      )
    }),
    RUNS,
  )
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(300)
})

test('what formatClientInfo and formatServerInfo write is read back (P-033, P-034, P-039)', () => {
  const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 32 })
  const client = fc.record(
    { meshKey: fc.string({ minLength: 1 }), appName: name, canAckPings: fc.boolean(), isProber: fc.boolean() },
    { requiredKeys: ['canAckPings', 'isProber'] },
  )
  const server = fc.record({ tokenBucketBytesPerSecond: fc.nat(), tokenBucketBytesBurst: fc.nat() })
  fc.assert(
    fc.property(client, server, (clientInfo, serverInfo) => {
      expect(parseClientInfo(formatClientInfo(clientInfo))).toEqual({ ...clientInfo, version: 2 })
      expect(parseServerInfo(formatServerInfo(serverInfo))).toEqual({ ...serverInfo, version: 2 })
    }),
    { ...RUNS, numRuns: 300 },
  )
})

test('corrupted JSON is read or refused with a ProtocolError, nothing else (P-033, P-034)', () => {
  const whole = '{"meshKey":"a\\u0041","version":2,"CanAckPings":true,"x":[{"y":null}],"AppName":"n"}'
  const seen = { read: 0, refused: 0 }
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }), (at, removed, inserted) => {
      const json = Uint8Array.from([
        ...encodeUtf8(whole.slice(0, at)),
        ...inserted,
        ...encodeUtf8(whole.slice(at + removed)),
      ])
      const results = [outcome(() => parseClientInfo(json)), outcome(() => parseServerInfo(json))]
      for (const result of results) seen[result === undefined ? 'refused' : 'read']++
    }),
    RUNS,
  )
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(100)
})

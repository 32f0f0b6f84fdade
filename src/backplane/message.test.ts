import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { decodeMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { KeyTimes } from './key-times.ts'
import type { InMessage, OutMessage } from './message.ts'

const key = (n: number) => NodePublicKey.fromBytes(new Uint8Array(32).fill(n))
const hex = (message: OutMessage) => Buffer.from(encodeMessage(message)).toString('hex')
const K1 = '01'.repeat(32)

/** A received message in its sent form. */
function asSent(message: InMessage | undefined): OutMessage | undefined {
  if (message === undefined || !('keys' in message) || !(message.keys instanceof KeyTimes)) {
    return message as OutMessage | undefined
  }
  const { keys } = message
  const list = Array.from({ length: keys.length }, (_, n) => ({ key: keys.keyOf(n), time: keys.timeOf(n) }))
  return { ...message, keys: list } as OutMessage
}

test('messages between relays have the documented encoding (P-321)', () => {
  const keys = [{ key: key(1), time: 0x0102030405 }]
  const url = 'https://a'
  expect(hex({ type: 'beat', url, incarnation: 1, sequence: 2, time: 3 })).toBe(
    `01${'0000000000000001'}${'0000000000000002'}${'0000000000000003'}0009${Buffer.from(url).toString('hex')}`,
  )
  expect(hex({ type: 'here', sequence: 5, list: undefined, keys })).toBe(
    `020000000000000005${'00'}${'00000000'}${K1}0000000102030405`,
  )
  expect(hex({ type: 'here', sequence: 5, list: { number: 7, isLast: true }, keys: [] })).toBe(
    `020000000000000005${'03'}${'00000007'}`,
  )
  expect(hex({ type: 'gone', sequence: 5, keys })).toBe(`030000000000000005${K1}0000000102030405`)
  expect(hex({ type: 'find', id: 9, keys: [key(1), key(2)] })).toBe(`040000000000000009${K1}${'02'.repeat(32)}`)
  expect(hex({ type: 'found', id: 9, keys })).toBe(`050000000000000009${K1}0000000102030405`)
  expect(hex({ type: 'superseded', key: key(1), time: 1 })).toBe(`06${K1}0000000000000001`)
  expect(hex({ type: 'resync' })).toBe('07')
  expect(hex({ type: 'reset' })).toBe('08')
  expect(hex({ type: 'closePeer', peer: key(1) })).toBe(`09${K1}`)
  expect(hex({ type: 'listed', sequence: 5 })).toBe('0a0000000000000005')
})

test('the length of a URL has two bytes (P-321)', () => {
  const url = `https://${'a'.repeat(300)}`
  expect(hex({ type: 'beat', url, incarnation: 1, sequence: 2, time: 3 }).slice(2 * 25, 2 * 27)).toBe('0134')
  for (const sent of [url, '']) {
    const beat = { type: 'beat', url: sent, incarnation: 1, sequence: 2, time: 3 } as const
    expect(decodeMessage(encodeMessage(beat))).toEqual(beat)
  }
})

const keyArbitrary = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => NodePublicKey.fromBytes(bytes))
const number = fc.maxSafeNat()
const keyTimes = fc.array(fc.record({ key: keyArbitrary, time: number }), { maxLength: 5 })
const message: fc.Arbitrary<OutMessage> = fc.oneof(
  fc.record({
    type: fc.constant('beat' as const),
    url: fc.webUrl(),
    incarnation: number,
    sequence: number,
    time: number,
  }),
  fc.record({
    type: fc.constant('here' as const),
    sequence: number,
    list: fc.option(fc.record({ number: fc.nat(0xffffffff), isLast: fc.boolean() }), { nil: undefined }),
    keys: keyTimes,
  }),
  fc.record({ type: fc.constant('gone' as const), sequence: number, keys: keyTimes }),
  fc.record({ type: fc.constant('find' as const), id: number, keys: fc.array(keyArbitrary, { maxLength: 5 }) }),
  fc.record({ type: fc.constant('found' as const), id: number, keys: keyTimes }),
  fc.record({ type: fc.constant('superseded' as const), key: keyArbitrary, time: number }),
  fc.record({ type: fc.constantFrom('resync' as const, 'reset' as const) }),
  fc.record({ type: fc.constant('listed' as const), sequence: number }),
  fc.record({ type: fc.constant('closePeer' as const), peer: keyArbitrary }),
)

test('messages between relays are decoded as encoded (P-321)', () => {
  fc.assert(
    fc.property(message, sent => {
      expect(asSent(decodeMessage(encodeMessage(sent)))).toEqual(sent)
    }),
  )
})

test('malformed messages are rejected without an exception (P-321)', () => {
  const wrong = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.tuple(message, fc.nat(30)).map(([sent, cut]) => encodeMessage(sent).slice(0, -1 - cut)),
  )
  fc.assert(
    fc.property(wrong, bytes => {
      const read = decodeMessage(bytes)
      if (read !== undefined && bytes.length < 200)
        expect(encodeMessage(asSent(read) as OutMessage).length).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 500 },
  )
  expect(decodeMessage(new Uint8Array())).toBeUndefined()
  expect(decodeMessage(Uint8Array.of(200, 1, 2))).toBeUndefined()
})

test('a message cut short is ignored, unless it has fewer keys and is otherwise complete (P-321)', () => {
  const readable = (sent: OutMessage) => {
    const bytes = encodeMessage(sent)
    const lengths = Array.from({ length: bytes.length + 1 }, (_, length) => length)
    return lengths.filter(length => decodeMessage(bytes.subarray(0, length)) !== undefined)
  }
  const keys = [1, 2].map(n => ({ key: key(n), time: n }))
  const url = 'x'.repeat(300)
  expect(readable({ type: 'beat', url, incarnation: 1, sequence: 2, time: 3 })).toEqual([327])
  expect(readable({ type: 'here', sequence: 1, list: undefined, keys })).toEqual([14, 54, 94])
  expect(readable({ type: 'gone', sequence: 1, keys })).toEqual([9, 49, 89])
  expect(readable({ type: 'found', id: 1, keys })).toEqual([9, 49, 89])
  expect(readable({ type: 'find', id: 1, keys: [key(1), key(2)] })).toEqual([9, 41, 73])
  expect(readable({ type: 'superseded', key: key(1), time: 1 })).toEqual([41])
  expect(readable({ type: 'closePeer', peer: key(1) })).toEqual([33])
  expect(readable({ type: 'listed', sequence: 5 })).toEqual([9])
})

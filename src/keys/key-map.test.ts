import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import type { KeyHash } from './key-hash.ts'
import { KeyLookup, KeyMap } from './key-map.ts'
import { NodePublicKey } from './node-key.ts'

const keyOf = (...head: number[]) => {
  const bytes = new Uint8Array(32)
  bytes.set(head)
  return NodePublicKey.fromBytes(bytes)
}

const allCollide: KeyHash = () => 7
const fewChains: KeyHash = (bytes, offset) => (bytes[offset] as number) % 3

test('KeyMap.get reads the key from the middle of a buffer', () => {
  const map = new KeyMap<string>().set(keyOf(1), 'one').set(keyOf(2), 'two')
  const buffer = new Uint8Array(50).fill(0xee)
  buffer.set(keyOf(2).bytes, 5)
  expect(map.get(buffer, 5)).toBe('two')
  expect(map.get(buffer, 6)).toBeUndefined()
  expect(map.get(keyOf(1).bytes)).toBe('one')
})

test('KeyMap.set replaces the value of an equal key that is another object', () => {
  const map = new KeyMap<number>().set(keyOf(1), 1).set(keyOf(1), 2)
  expect(map.size).toBe(1)
  expect(map.get(keyOf(1).bytes)).toBe(2)
})

test('KeyMap distinguishes keys that differ in one byte even if all hashes collide', () => {
  const map = new KeyMap<number>(allCollide)
  const variants = Array.from({ length: 32 }, (_, i) => {
    const bytes = new Uint8Array(32)
    bytes[i] = 1
    return NodePublicKey.fromBytes(bytes)
  })
  for (const [i, key] of variants.entries()) map.set(key, i)
  expect(map.size).toBe(32)
  expect(variants.map(key => map.get(key.bytes))).toEqual(variants.map((_, i) => i))
  expect(map.has(keyOf(0))).toBe(false)
})

test.each([0, 1, 2])('KeyMap.delete removes entry %i of a chain of three and keeps the others', index => {
  const keys = [keyOf(1), keyOf(2), keyOf(3)]
  const map = new KeyMap<number>(allCollide)
  for (const [i, key] of keys.entries()) map.set(key, i)
  const gone = keys[index] as NodePublicKey
  expect(map.delete(gone)).toBe(true)
  expect(map.delete(gone)).toBe(false)
  expect(keys.map(key => map.get(key.bytes))).toEqual([0, 1, 2].map(i => (i === index ? undefined : i)))
  expect(map.size).toBe(2)
})

test('KeyMap distinguishes a value of undefined from absence', () => {
  const map = new KeyMap<undefined>().set(keyOf(1), undefined)
  expect(map.has(keyOf(1))).toBe(true)
  expect(map.has(keyOf(2))).toBe(false)
})

test('KeyMap iterates in insertion order, skips entries deleted meanwhile and sees those added', () => {
  const map = new KeyMap<string>().set(keyOf(3), 'c').set(keyOf(1), 'a').set(keyOf(2), 'b')
  const seen: string[] = []
  for (const [key, value] of map) {
    seen.push(value)
    if (key.equals(keyOf(3))) {
      map.delete(keyOf(3))
      map.delete(keyOf(1))
      map.set(keyOf(4), 'd')
    }
  }
  expect(seen).toEqual(['c', 'b', 'd'])
})

test('KeyMap finds all entries after growing, for hashes of either sign', () => {
  const map = new KeyMap<number>()
  const keys = Array.from({ length: 5000 }, (_, i) => keyOf(i & 255, i >> 8))
  for (const [i, key] of keys.entries()) map.set(key, i)
  expect(map.size).toBe(5000)
  expect(keys.every((key, i) => map.get(key.bytes) === i)).toBe(true)
})

type Step = { readonly op: 'set' | 'delete' | 'get'; readonly key: NodePublicKey; readonly value: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    op: fc.constantFrom('set' as const, 'set' as const, 'delete' as const, 'get' as const),
    key: fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 5 })).map(([a, b]) => keyOf(a, b)),
    value: fc.integer(),
  }),
  { maxLength: 200 },
)

test.each<[string, KeyHash | undefined]>([
  ['random seeds', undefined],
  ['three chains', fewChains],
  ['one chain', allCollide],
])('KeyMap equals Map by hex over random steps with %s', (_, hash) => {
  fc.assert(
    fc.property(steps, list => {
      const map = new KeyMap<number>(hash)
      const model = new Map<string, number>()
      for (const { op, key, value } of list) {
        const hex = key.toHex()
        if (op === 'set') {
          map.set(key, value)
          model.set(hex, value)
        } else if (op === 'delete') {
          expect(map.delete(key)).toBe(model.delete(hex))
        } else {
          expect(map.get(key.bytes)).toBe(model.get(hex))
          expect(map.has(key)).toBe(model.has(hex))
        }
        expect(map.size).toBe(model.size)
      }
      expect([...map].map(([key, value]) => [key.toHex(), value])).toEqual([...model])
    }),
  )
})

test('KeyMap iterates like Map, whatever is added and deleted meanwhile', () => {
  const key = fc.integer({ min: 0, max: 5 })
  const change = fc.record({ isSet: fc.boolean(), key })
  const round = fc.array(change, { maxLength: 8 })
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 6 }), fc.array(round, { maxLength: 8 }), (first, rounds) => {
      const [map, model] = [new KeyMap<number>(), new Map<number, number>()]
      const set = (n: number) => {
        map.set(keyOf(n), n)
        model.set(n, n)
      }
      for (const n of first) set(n)
      const [ours, theirs] = [map[Symbol.iterator](), model[Symbol.iterator]()]
      for (const changes of rounds) {
        const { value, done } = ours.next()
        const expected = theirs.next()
        expect([done, value?.[1]]).toEqual([expected.done, expected.value?.[1]])
        for (const { isSet, key: n } of changes) {
          if (isSet) set(n)
          else {
            map.delete(keyOf(n))
            model.delete(n)
          }
        }
      }
      expect(Array.from(map, ([, value]) => value)).toEqual([...model.values()])
    }),
  )
})

test('KeyLookup returns what its map does, after any change since the last lookup', () => {
  const map = new KeyMap<string>().set(keyOf(1), 'one').set(keyOf(2), 'two')
  const lookup = new KeyLookup(map)
  const buffer = (n: number) => Uint8Array.from([0xee, ...keyOf(n).bytes])
  const get = (n: number) => lookup.get(buffer(n), 1)
  expect([get(1), get(1), get(2), get(3), get(1)]).toEqual(['one', 'one', 'two', undefined, 'one'])
  map.set(keyOf(1), 'uno')
  expect(get(1)).toBe('uno')
  map.delete(keyOf(1))
  expect(get(1)).toBeUndefined()
  map.set(keyOf(1), 'eins')
  expect(get(1)).toBe('eins')
})

test('KeyLookup does not hash when asked for the same key again', () => {
  let hashes = 0
  const map = new KeyMap<number>(() => {
    hashes++
    return 0
  })
  map.set(keyOf(1), 1)
  const lookup = new KeyLookup(map)
  const before = hashes
  for (let n = 0; n < 10; n++) lookup.get(keyOf(1).bytes, 0)
  expect(hashes - before).toBe(1)
})

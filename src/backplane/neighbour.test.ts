import { describe, expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import type { Destination, LinkRoutes } from '../server/ports.ts'
import { Neighbour, type RegionLink } from './neighbour.ts'

const key = NodePublicKey.fromBytes(new Uint8Array(32).fill(1))
const link: RegionLink = { local: undefined, isUp: false, takeSendPacket() {}, check() {}, close() {} }

/** A neighbour whose last message was `sequence`; undefined: all its messages so far count as received. */
function meet(sequence?: number, route?: Destination) {
  const added: unknown[] = []
  const addLink = (...link: unknown[]) => {
    added.push(link)
    return {} as LinkRoutes
  }
  const beat = { type: 'beat', url: 'https://a.test/derp', incarnation: 7, sequence: 9, time: 3 } as const
  const relay = new Neighbour('00112233aabbccdd', beat, { table: { addLink }, link, routeOf: () => route }, sequence)
  return { relay, added }
}

const part = (number: number, isLast = false) => ({ number, isLast })

test('a new neighbour is heard, and nothing is missing or expected from it (P-303, P-312)', () => {
  const { relay, added } = meet()
  expect(relay).toMatchObject({
    id: '00112233aabbccdd',
    url: 'https://a.test/derp',
    incarnation: 7,
    aheadMs: 0,
    isHeard: true,
    needsList: false,
    isListing: false,
    confirmsByMs: undefined,
  })
  // The region ends its routes, so that the table need not keep their keys.
  expect(added).toEqual([[relay, false]])
})

test('packets follow the route of their key, or else the link to the neighbour', () => {
  const elsewhere: Destination = { local: undefined, takeSendPacket() {} }
  expect(meet(0, elsewhere).relay.destinationFor(key)).toBe(elsewhere)
  expect(meet(0).relay.destinationFor(key)).toBe(link)
})

describe('numbers of broadcasts (P-312)', () => {
  test('the next number follows, and a number is missed only once', () => {
    const { relay } = meet(0)
    expect([1, 2, 4, 5, 6].map(n => relay.followsWith(n))).toEqual([true, true, false, true, true])
  })

  test('a beat reveals what has not arrived, once', () => {
    const { relay } = meet(5)
    expect([5, 6, 6].map(n => relay.hasCome(n))).toEqual([true, false, true])
    expect([relay.followsWith(7), relay.hasCome(7), relay.followsWith(9)]).toEqual([true, true, false])
  })

  test('an earlier number changes nothing', () => {
    const { relay } = meet(5)
    expect([relay.followsWith(3), relay.hasCome(2), relay.followsWith(6)]).toEqual([true, true, true])
    expect([relay.hasCome(4), relay.followsWith(7)]).toEqual([true, true])
  })

  test('the first number after a join is accepted as is, later ones must follow', () => {
    const { relay } = meet()
    expect([20, 21, 23].map(n => relay.followsWith(n))).toEqual([true, true, false])
    const { relay: other } = meet()
    expect([other.hasCome(20), other.followsWith(21), other.hasCome(22)]).toEqual([true, true, false])
  })

  test('after a return the next number is accepted as is again', () => {
    const { relay } = meet(5)
    relay.acceptNext()
    expect([relay.followsWith(20), relay.followsWith(22)]).toEqual([true, false])
  })

  test('a list for all replaces all messages before it', () => {
    const { relay } = meet(5)
    relay.listBegins(9)
    expect([relay.followsWith(9), relay.followsWith(10), relay.followsWith(12)]).toEqual([true, true, false])
  })
})

describe('confirmation of the own list (P-312)', () => {
  test('what came before the number it names may have been missed', () => {
    const { relay } = meet()
    relay.followsWith(20)
    expect(relay.confirms(19)).toBe(true)
    const { relay: other } = meet()
    other.hasCome(20)
    expect(other.confirms(20)).toBe(true)
  })

  test('what came after the number it names must have arrived', () => {
    const { relay } = meet()
    relay.followsWith(20)
    expect(relay.confirms(18)).toBe(false)
    const { relay: other } = meet()
    other.hasCome(20)
    expect(other.confirms(19)).toBe(false)
  })

  test('if nothing came before it, the number it names is the last', () => {
    const { relay } = meet()
    expect([relay.confirms(20), relay.followsWith(21)]).toEqual([true, true])
    const { relay: other } = meet()
    expect([other.confirms(20), other.followsWith(22)]).toEqual([true, false])
  })

  test('numbers that followed a known one are not missing', () => {
    const { relay } = meet(5)
    relay.followsWith(6)
    relay.hasCome(7)
    expect([relay.confirms(5), relay.followsWith(8)]).toEqual([true, true])
  })

  test('it counts once: a second confirmation finds nothing missing', () => {
    const { relay } = meet()
    relay.followsWith(20)
    expect([relay.confirms(18), relay.confirms(18)]).toEqual([false, true])
  })

  test('a list for all and a new return replace what was accepted as is', () => {
    const { relay } = meet()
    relay.followsWith(20)
    relay.listBegins(21)
    expect(relay.confirms(18)).toBe(true)
    relay.acceptNext()
    relay.followsWith(30)
    relay.acceptNext()
    expect(relay.confirms(18)).toBe(true)
  })
})

describe('parts of a list (P-313)', () => {
  test('a list is complete with its last part, and expected until then', () => {
    const { relay } = meet()
    const parts = [part(0), part(1), part(2, true)]
    expect(parts.map(each => [relay.takePart(each), relay.isListing])).toEqual([
      [false, true],
      [false, true],
      [true, false],
    ])
    expect(relay.needsList).toBe(false)
    expect([relay.takePart(part(0, true)), relay.isListing]).toEqual([true, false])
  })

  test('a list with a missing part is never complete, and is needed again', () => {
    const { relay } = meet()
    relay.takePart(part(0))
    expect([relay.takePart(part(2)), relay.isListing, relay.needsList]).toEqual([false, false, true])
    expect([relay.takePart(part(3)), relay.takePart(part(4, true)), relay.needsList]).toEqual([false, false, true])
  })

  test('a list begun anew is complete without parts of the one before', () => {
    const { relay } = meet()
    relay.takePart(part(0))
    relay.takePart(part(2))
    expect([relay.takePart(part(0)), relay.needsList, relay.takePart(part(1, true))]).toEqual([false, false, true])
  })

  test('a message missed during a list is still missing after it', () => {
    const { relay } = meet()
    relay.takePart(part(0))
    relay.needsList = true
    expect([relay.takePart(part(1, true)), relay.needsList]).toEqual([true, true])
  })
})

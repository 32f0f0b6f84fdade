import { expect, test } from 'vitest'
import { createSourceSeeds, SourceHash } from './source-hash.ts'

/** Slot and tag of a source. */
function hashOf(hash: SourceHash, source: string): readonly [place: number, mark: number] {
  hash.update(source)
  return [hash.place, hash.mark]
}

const ADDRESS = '\xc0\x00\x02\x01'

test('seeds are four random numbers of 32 bits, so no one can choose sources that collide (P-109)', () => {
  const [a, b] = [createSourceSeeds(), createSourceSeeds()]
  for (const seeds of [a, b]) {
    expect(seeds).toHaveLength(4)
    expect(seeds.every(seed => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true)
  }
  expect(a).not.toEqual(b)
  const [one, other] = [new SourceHash([1, 2, 3, 4]), new SourceHash([1, 3, 3, 5])]
  expect(hashOf(one, ADDRESS)).not.toEqual(hashOf(other, ADDRESS))
})

test('an address of IPv4 is another source than the network that begins with it (P-109)', () => {
  const hash = new SourceHash([1, 2, 3, 4])
  const [address, network] = [hashOf(hash, ADDRESS), hashOf(hash, `${ADDRESS}\0\0\0\0`)]
  expect([address[0] === network[0], address[1] === network[1]]).toEqual([false, false])
  // Nothing is left of the source before.
  expect(hashOf(hash, ADDRESS)).toEqual(address)
})

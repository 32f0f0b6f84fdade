import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { RegionCounters } from '../metrics/region-counters.ts'
import { Finder, type FinderPorts } from './finder.ts'
import { NOBODY_MS } from './limits.ts'

/** A finder whose searches all relays answer with no. */
function setUp() {
  const clock = new FakeClock({ turns: 'manual' })
  const ports = {
    clock,
    counters: new RegionCounters(),
    inquiries: { ask: (_keys: unknown, onEnd: (isAnswered: boolean) => void) => onEnd(true) },
    canAsk: () => true,
    onNobody: () => {},
    onFailed: () => {},
  } as unknown as FinderPorts
  const finder = new Finder(ports)
  const search = (count: number) => {
    for (let n = 0; n < count; n++) finder.look(NodePrivateKey.generate().publicKey())
    clock.runTurn()
  }
  return { clock, finder, search }
}

test('Finder forgets keys that nobody has once it would search for them again (P-309)', () => {
  const { clock, finder, search } = setUp()
  search(100)
  clock.advance(NOBODY_MS - 1)
  search(100)
  expect(finder.nobodies).toBe(200)
  clock.advance(1)
  search(1)
  expect(finder.nobodies).toBe(101)
})

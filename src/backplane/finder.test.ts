import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { RelayCounters } from '../metrics/counters.ts'
import { RegionCounters } from '../metrics/region-counters.ts'
import { encodeClientToServer } from '../protocol/encode.ts'
import type { Destination } from '../server/ports.ts'
import type { FinderSource } from '../server/region-ports.ts'
import { Finder, type FinderPorts } from './finder.ts'
import { MAX_KEYS, MAX_NOBODIES, MAX_WAITING_KEYS, NOBODY_MS, UNANSWERED_MS } from './limits.ts'

const PAYLOAD_BYTES = 8

const key = (n: number) => NodePublicKey.fromBytes(new Uint8Array(Uint32Array.from([n, 0, 0, 0, 0, 0, 0, 0]).buffer))
const numberOf = ({ bytes }: NodePublicKey) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)

/** A query that has been asked. */
interface Asked {
  readonly keys: readonly number[]
  readonly end: (isAnswered: boolean) => void
}

function setUp() {
  const clock = new FakeClock({ turns: 'manual' })
  const [counters, packets] = [new RegionCounters(), new RelayCounters()]
  const state: { canAsk: boolean; destination: Destination | undefined } = { canAsk: true, destination: undefined }
  const asked: Asked[] = []
  const log: string[] = []
  const ports = {
    clock,
    counters,
    host: { counters: packets, destinationOf: () => state.destination },
    inquiries: {
      ask: (keys: NodePublicKey[], end: Asked['end']) => asked.push({ keys: keys.map(key => numberOf(key)), end }),
    },
    canAsk: () => state.canAsk,
    onNobody: (key: NodePublicKey) => log.push(`nobody has ${numberOf(key)}`),
    onFailed: (key: NodePublicKey) => log.push(`failed ${numberOf(key)}`),
  } as unknown as FinderPorts
  const finder = new Finder(ports)
  const source: FinderSource = { key: key(0), tellNotHere: peer => log.push(`told of ${numberOf(peer)}`) }
  return {
    clock,
    counters,
    packets,
    state,
    log,
    finder,
    /** A destination that records the last byte of each packet. */
    destination: (isHere: boolean): Destination => ({
      local: isHere ? { takeForwarded() {}, takeForwardedWithoutSource() {} } : undefined,
      takeSendPacket: (_source, buffer, _start, end) => log.push(`gets ${buffer[end - 1]}`),
    }),
    /** Hands over a packet in the middle of a buffer; returns whether it was taken. */
    take: (to: number, content = 0): boolean => {
      const data = new Uint8Array(PAYLOAD_BYTES).fill(content)
      const frame = encodeClientToServer({ type: 'sendPacket', destination: key(to), data })
      const buffer = new Uint8Array([1, 2, 3, ...frame, 4, 5])
      return finder.takeUnknown(source, buffer, 3, 3 + frame.length, 'other')
    },
    look: (from: number, count: number) => {
      for (let n = from; n < from + count; n++) finder.look(key(n))
    },
    /** Ends the turn; returns the keys of each query since the last look. */
    asks: () => {
      clock.runTurn()
      return asked.map(({ keys }) => keys)
    },
    /** Ends the turn and all queries. */
    end: (isAnswered: boolean) => {
      clock.runTurn()
      for (const { end } of asked.splice(0)) end(isAnswered)
    },
  }
}

test('packets of one turn wait for one search, and leave in order once it has a result (P-308, P-310)', () => {
  const { finder, take, asks, counters, packets, state, destination, log } = setUp()
  expect([take(1, 10), take(2, 20), take(1, 11)]).toEqual([true, true, true])
  finder.look(key(1))
  expect([asks(), finder.waitingPackets, counters.searches]).toEqual([[[1, 2]], 3, 2])
  state.destination = destination(false)
  finder.found(key(1))
  expect([log, finder.waitingPackets, counters.found]).toEqual([['gets 10', 'gets 11'], 1, 1])
  expect(packets.packetsForwardedOut).toBe(2)
})

test('packets for a key that logs in here are not counted as forwarded (P-310)', () => {
  const { finder, take, packets, state, destination, log } = setUp()
  take(1, 10)
  state.destination = destination(true)
  finder.found(key(1))
  expect([log, packets.packetsForwardedOut]).toEqual([['gets 10'], 0])
})

test('queued packets count as dropped if the route has gone when they could leave (P-310)', () => {
  const { finder, take, packets, log } = setUp()
  take(1)
  take(1)
  finder.found(key(1))
  expect(packets.dropped.find_failed.other).toEqual({ packets: 2, bytes: 2 * PAYLOAD_BYTES })
  expect([log, finder.waitingPackets]).toEqual([[], 0])
})

test('a key found before the end of the turn is not queried (P-308)', () => {
  const { finder, look, asks } = setUp()
  look(1, 1)
  finder.found(key(1))
  expect(asks()).toEqual([])
  look(2, 2)
  finder.found(key(2))
  expect(asks()).toEqual([[3]])
})

test('a query has at most 1,000 keys (P-308)', () => {
  const { look, asks } = setUp()
  look(0, MAX_KEYS)
  expect(asks().map(({ length }) => length)).toEqual([MAX_KEYS])
  look(MAX_KEYS, MAX_KEYS + 1)
  expect(asks().map(({ length }) => length)).toEqual([MAX_KEYS, MAX_KEYS, 1])
  expect(asks().at(-1)).toEqual([2 * MAX_KEYS])
})

test('when nobody has a key senders are told, and it is not searched for during 5 s (P-309)', () => {
  const { clock, finder, take, asks, end, counters, packets, log } = setUp()
  take(1)
  end(true)
  expect(log).toEqual(['told of 1', 'nobody has 1'])
  expect(packets.dropped.unknown_dest.other).toEqual({ packets: 1, bytes: PAYLOAD_BYTES })
  expect([counters.searchesForNobody, counters.searchesFailed, finder.nobodies]).toEqual([1, 0, 1])
  clock.advance(NOBODY_MS - 1)
  expect([take(1), asks()]).toEqual([false, []])
  clock.advance(1)
  expect([take(1), asks(), finder.nobodies]).toEqual([true, [[1]], 0])
})

test('when a search fails packets are dropped for 1 s without another, and nobody is told (P-309)', () => {
  const { clock, finder, take, asks, end, counters, packets, log } = setUp()
  take(1)
  end(false)
  expect(log).toEqual(['failed 1'])
  expect([counters.searchesForNobody, counters.searchesFailed]).toEqual([0, 1])
  clock.advance(UNANSWERED_MS - 1)
  expect([take(1), asks(), finder.waitingPackets]).toEqual([true, [], 0])
  expect(packets.dropped.find_failed.other).toEqual({ packets: 2, bytes: 2 * PAYLOAD_BYTES })
  clock.advance(1)
  expect([take(1), asks(), finder.waitingPackets]).toEqual([true, [[1]], 1])
})

test('searches that are given up fail at once, queried or not, and never again (P-309, P-318)', () => {
  const { finder, take, asks, end, counters, packets, log } = setUp()
  take(1)
  asks()
  take(2)
  finder.giveUp()
  expect([log, finder.waitingPackets, packets.dropped.find_failed.other.packets]).toEqual([
    ['failed 1', 'failed 2'],
    0,
    2,
  ])
  expect(asks()).toEqual([[1]])
  end(true)
  expect([log.length, counters.searchesFailed]).toEqual([2, 2])
})

test('while relays cannot be queried packets are dropped, and nothing is searched for (P-318)', () => {
  const { finder, take, look, asks, counters, packets, state } = setUp()
  state.canAsk = false
  look(1, 1)
  expect([take(1), asks(), finder.waitingPackets]).toEqual([true, [], 0])
  expect([packets.dropped.find_failed.other.packets, counters.searches]).toEqual([1, 0])
})

test('a relay searches for at most 10,000 keys at once (P-310)', () => {
  const { finder, take, look, counters, packets } = setUp()
  look(0, MAX_WAITING_KEYS - 1)
  take(MAX_WAITING_KEYS)
  take(MAX_WAITING_KEYS + 1)
  look(MAX_WAITING_KEYS + 2, 1)
  take(0)
  expect([finder.waitingPackets, counters.searches]).toEqual([2, MAX_WAITING_KEYS])
  expect(packets.dropped.find_failed.other.packets).toBe(1)
  finder.giveUp()
  look(MAX_WAITING_KEYS + 2, MAX_WAITING_KEYS + 1)
  expect(counters.searches).toBe(2 * MAX_WAITING_KEYS)
})

test('Finder forgets keys that nobody has once it would search for them again (P-309)', () => {
  const { clock, finder, look, end } = setUp()
  look(0, 100)
  end(true)
  clock.advance(NOBODY_MS - 1)
  look(100, 100)
  end(true)
  expect(finder.nobodies).toBe(200)
  clock.advance(1)
  look(200, 1)
  end(true)
  expect(finder.nobodies).toBe(101)
})

test('a key that nobody has, again, is the last to be forgotten (P-309)', () => {
  const { clock, finder, look, end } = setUp()
  look(1, 2)
  end(true)
  clock.advance(1)
  look(1, 1)
  end(true)
  clock.advance(NOBODY_MS - 1)
  look(3, 1)
  end(true)
  expect(finder.nobodies).toBe(2)
})

test('Finder remembers at most 50,000 keys that nobody has, the last ones (P-309)', () => {
  const { finder, look, take, end } = setUp()
  for (let n = 0; n < MAX_NOBODIES; n += MAX_WAITING_KEYS) {
    look(n, MAX_WAITING_KEYS)
    end(true)
  }
  expect(finder.nobodies).toBe(MAX_NOBODIES)
  look(MAX_NOBODIES, 1)
  end(true)
  expect(finder.nobodies).toBe(MAX_NOBODIES)
  expect([take(0), take(1), take(MAX_NOBODIES)]).toEqual([true, false, false])
})

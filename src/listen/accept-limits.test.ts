import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { LogFields } from '../lib/log.ts'
import { silentLog } from '../lib/log.ts'
import { type AcceptLimitOptions, AcceptLimits } from './accept-limits.ts'
import { LocalTally } from './accept-tally.ts'

function setUp(options: AcceptLimitOptions, hasRoom?: () => boolean) {
  const clock = new FakeClock()
  const warnings: [string, LogFields | undefined][] = []
  const log = { ...silentLog, warn: (message: string, fields?: LogFields) => void warnings.push([message, fields]) }
  const tally = new LocalTally(options.sourceRate)
  const limits = new AcceptLimits(options, clock, log, tally, hasRoom)
  const gate = limits.forListener()
  /** Opens a connection; undefined if it is refused. */
  const open = (address: string | undefined, at = gate): EventEmitter | undefined => {
    const socket = new EventEmitter()
    if (at.open(socket) && at.admit(socket, address)) return socket
    socket.emit('close')
    return undefined
  }
  return { clock, warnings, limits, tally, open }
}

const taken = (sockets: (EventEmitter | undefined)[]) => sockets.filter(socket => socket !== undefined).length

test('AcceptLimits accepts everything without limits, and counts it', () => {
  const { limits, tally, open, warnings } = setUp({})
  const sockets = Array.from({ length: 1_000 }, () => open('192.0.2.1'))
  expect([taken(sockets), limits.counters.open, limits.counters.accepted]).toEqual([1_000, 1_000, 1_000])
  // No memory is spent on sources that do not matter.
  expect([tally.countedSources, sockets[0]?.listenerCount('close')]).toEqual([0, 1])
  for (const socket of sockets) socket?.emit('close')
  expect([limits.counters.open, tally.countedSources, warnings.length]).toEqual([0, 0, 0])
})

test('AcceptLimits refuses connections while memory is short, and takes them again afterwards (P-109)', () => {
  let hasRoom = true
  const { limits, open, tally, warnings } = setUp({}, () => hasRoom)
  const first = open('192.0.2.1')
  hasRoom = false
  expect([open('192.0.2.1'), limits.counters.refused.memory, tally.open]).toEqual([undefined, 1, 1])
  expect(warnings).toEqual([['connections refused', { refused: { memory: 1 }, lastSource: undefined, open: 1 }]])
  first?.emit('close')
  hasRoom = true
  expect(taken([open('192.0.2.1')])).toBe(1)
})

test('AcceptLimits allows each listener a burst, then a rate (P-108)', () => {
  const { clock, limits, open } = setUp({ rate: { perSecond: 10, burst: 3 } })
  const other = limits.forListener()
  expect(taken([1, 2, 3, 4, 5].map(n => open(`192.0.2.${n}`)))).toBe(3)
  expect(taken([1, 2, 3, 4].map(n => open(`192.0.2.${n}`, other)))).toBe(3)
  clock.advance(100)
  expect(taken([open('192.0.2.1'), open('192.0.2.1')])).toBe(1)
  expect(limits.counters.refused).toEqual({
    rate: 4,
    source_rate: 0,
    connections: 0,
    source_connections: 0,
    memory: 0,
    system: 0,
  })
})

test('AcceptLimits limits each source, whose refusals cost others nothing (P-109)', () => {
  const { clock, limits, open } = setUp({ rate: { perSecond: 1, burst: 4 }, sourceRate: { perSecond: 1, burst: 2 } })
  expect(taken(Array.from({ length: 100 }, (_, n) => open(`2001:db8::${n}`)))).toBe(2)
  expect(taken([open('2001:db8:0:1::1'), open('192.0.2.1'), open('192.0.2.2')])).toBe(2)
  expect(limits.counters.refused).toMatchObject({ source_rate: 98, rate: 1 })
  clock.advance(2_000)
  expect(taken([open('2001:db8::1'), open('2001:db8::2')])).toBe(2)
})

test('AcceptLimits exempts proxies that serve many clients (P-109)', () => {
  const { tally, open } = setUp({ sourceRate: { perSecond: 1, burst: 1 }, maxConnectionsPerSource: 1 })
  expect(taken([open(undefined), open(undefined), open(undefined)])).toBe(3)
  expect(tally.countedSources).toBe(0)
})

test('AcceptLimits limits open connections, overall and per source (P-109)', () => {
  const { limits, tally, open } = setUp({ maxConnections: 3, maxConnectionsPerSource: 2 })
  const [first, second, third] = [open('192.0.2.1'), open('192.0.2.1'), open('192.0.2.1')]
  expect([second === undefined, third === undefined]).toEqual([false, true])
  const fourth = open('192.0.2.2')
  expect([fourth === undefined, open('192.0.2.3') === undefined]).toEqual([false, true])
  expect(limits.counters.refused).toMatchObject({ source_connections: 1, connections: 1 })
  first?.emit('close')
  expect(open('192.0.2.1')).toBeDefined()
  expect([limits.counters.open, tally.countedSources]).toEqual([3, 2])
  second?.emit('close')
  fourth?.emit('close')
  expect([limits.counters.open, tally.countedSources]).toEqual([1, 1])
})

test('AcceptLimits does not count a connection for its source that the listener’s rate refuses (P-109)', () => {
  const { clock, limits, tally, open, warnings } = setUp({
    rate: { perSecond: 10, burst: 1 },
    maxConnectionsPerSource: 1,
  })
  open('192.0.2.1')
  expect([open('192.0.2.2'), limits.counters.refused.rate, tally.countedSources]).toEqual([undefined, 1, 1])
  expect(warnings).toEqual([['connections refused', { refused: { rate: 1 }, lastSource: '192.0.2.2', open: 2 }]])
  clock.advance(100)
  expect(open('192.0.2.2')).toBeDefined()
})

test('AcceptLimits counts and logs connections that the system could not accept (P-109)', () => {
  const { limits, warnings } = setUp({})
  limits.forListener().failed(new Error('too many open files'))
  expect(limits.counters.refused.system).toBe(1)
  expect(warnings).toEqual([
    ['connections refused', { refused: { system: 1 }, lastError: 'too many open files', open: 0 }],
  ])
})

test('AcceptLimits tracks a bounded number of sources (P-109)', () => {
  const { open } = setUp({ sourceRate: { perSecond: 1e-9, burst: 1, maxSources: 2 } })
  expect(taken([open('192.0.2.1'), open('192.0.2.2'), open('192.0.2.3'), open('192.0.2.1'), open('192.0.2.1')])).toBe(4)
})

test('AcceptLimits logs refusals once a minute, not one by one (P-109)', () => {
  const { clock, warnings, open } = setUp({ maxConnections: 1, maxConnectionsPerSource: 1 })
  open('192.0.2.1')
  for (let n = 0; n < 500; n++) open('192.0.2.1')
  expect(warnings).toEqual([['connections refused', { refused: { connections: 1 }, lastSource: undefined, open: 1 }]])
  clock.advance(60_000)
  expect(warnings.slice(1)).toEqual([
    ['connections refused', { refused: { connections: 499 }, lastSource: undefined, open: 1 }],
  ])
})

import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { createNetworkMonitor } from './node-network-monitor.ts'

function setUp() {
  const clock = new FakeClock()
  const host = { addresses: ['127.0.0.1'] as readonly string[], looks: 0 }
  const readAddresses = () => {
    host.looks++
    return host.addresses
  }
  return { clock, host, monitor: createNetworkMonitor({ intervalMs: 100, clock, readAddresses }) }
}

test('createNetworkMonitor notifies all listeners of changes only', () => {
  const { clock, host, monitor } = setUp()
  const told: unknown[] = []
  const stop = [1, 2].map(name => monitor.subscribe(({ addresses }) => told.push([name, addresses])))
  clock.advance(1_000)
  expect(told).toEqual([])
  host.addresses = ['127.0.0.1', '192.0.2.1']
  clock.advance(100)
  expect(told.splice(0)).toEqual([
    [1, host.addresses],
    [2, host.addresses],
  ])
  host.addresses = ['192.0.2.1', '127.0.0.1']
  clock.advance(100)
  expect(told).toEqual([])
  stop[0]?.()
  host.addresses = []
  clock.advance(100)
  expect(told).toEqual([[2, []]])
})

test('createNetworkMonitor polls only while there are listeners', () => {
  const { clock, host, monitor } = setUp()
  expect(host.looks).toBe(0)
  const stop = monitor.subscribe(() => {})
  clock.advance(500)
  expect(host.looks).toBe(6)
  stop()
  stop()
  expect(clock.pendingTimers).toBe(0)
  host.addresses = ['192.0.2.1']
  const told: unknown[] = []
  monitor.subscribe(change => told.push(change))
  clock.advance(500)
  expect(told).toEqual([])
})

test('createNetworkMonitor knows the addresses of this host', () => {
  const clock = new FakeClock()
  const monitor = createNetworkMonitor({ clock })
  const told: unknown[] = []
  monitor.subscribe(change => told.push(change))
  clock.advance(10_000)
  expect(told).toEqual([])
})

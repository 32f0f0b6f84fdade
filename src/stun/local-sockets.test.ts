import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { LocalSockets } from './local-sockets.ts'

const POLL_MS = 2_000

function setUp(addresses: readonly string[]) {
  const clock = new FakeClock()
  const machine = { addresses, unbindable: new Set<string>() }
  const open = new Set<string>()
  const sockets = new LocalSockets({
    clock,
    readAddresses: () => machine.addresses,
    open: async address => {
      if (machine.unbindable.has(address)) throw new Error('bind EADDRNOTAVAIL')
      open.add(address)
      return { close: () => open.delete(address) }
    },
  })
  const look = async () => {
    clock.advance(POLL_MS)
    await settle()
  }
  return { clock, machine, open, sockets, look }
}

test.each([
  [['192.0.2.1'], []],
  [['192.0.2.1', '2001:db8::1'], []],
  [
    ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
    ['192.0.2.1', '192.0.2.2'],
  ],
  [
    ['192.0.2.1', '2001:db8::1', '2001:db8::2'],
    ['2001:db8::1', '2001:db8::2'],
  ],
])('LocalSockets for %j opens %j: a single address needs none (P-188)', async (addresses, opened) => {
  const { open, sockets } = setUp(addresses)
  await sockets.start()
  expect([...open]).toEqual(opened)
  await sockets.close()
})

test('LocalSockets follows address changes, retries failures, and closes everything (P-188)', async () => {
  const { clock, machine, open, sockets, look } = setUp(['192.0.2.1', '192.0.2.2'])
  machine.unbindable.add('192.0.2.2')
  await sockets.start()
  expect([...open]).toEqual(['192.0.2.1'])
  machine.unbindable.clear()
  machine.addresses = ['192.0.2.2', '192.0.2.3']
  await look()
  expect([...open]).toEqual(['192.0.2.2', '192.0.2.3'])
  machine.addresses = ['192.0.2.3']
  await look()
  expect([...open]).toEqual([])
  machine.addresses = ['192.0.2.3', '192.0.2.4']
  await look()
  await sockets.close()
  expect([open.size, clock.pendingTimers]).toEqual([0, 0])
})

test('LocalSockets opens a bounded number of sockets (P-188)', async () => {
  const { open, sockets } = setUp(Array.from({ length: 200 }, (_, n) => `192.0.2.${n}`))
  await sockets.start()
  expect(open.size).toBe(64)
  await sockets.close()
})

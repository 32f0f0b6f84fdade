import { expect, test, vi } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { nodeEngine } from '../http/debug/node-engine.ts'
import { RUNTIME } from '../lib/runtime.ts'
import { AcceptPace } from './accept-pace.ts'

function setUp(perTurn: number): {
  clock: FakeClock
  pace: AcceptPace<FakeSocket>
  begun: FakeSocket[]
  sockets: FakeSocket[]
} {
  const clock = new FakeClock({ turns: 'manual' })
  const begun: FakeSocket[] = []
  const pace = new AcceptPace<FakeSocket>(clock, perTurn, socket => begun.push(socket))
  return { clock, pace, begun, sockets: Array.from({ length: 5 }, () => ({ destroyed: false })) }
}

interface FakeSocket {
  destroyed: boolean
}

test('connections of one turn are started over several turns, in order (P-110)', () => {
  const { clock, pace, begun, sockets } = setUp(2)
  for (const socket of sockets) pace.add(socket)
  expect([begun.length, pace.waiting]).toEqual([2, 3])
  clock.runTurn()
  expect([begun.length, pace.waiting]).toEqual([4, 1])
  clock.runTurn()
  expect(begun).toEqual(sockets)
})

test('a single connection of a turn does not wait (P-110)', () => {
  const { clock, pace, begun, sockets } = setUp(1)
  for (const [i, socket] of sockets.entries()) {
    pace.add(socket)
    expect(begun).toHaveLength(i + 1)
    clock.runTurn()
  }
})

test('a later connection does not overtake waiting ones, and closed ones are skipped (P-110)', () => {
  const { clock, pace, begun, sockets } = setUp(1)
  const [a, b, c, d, e] = sockets as [FakeSocket, FakeSocket, FakeSocket, FakeSocket, FakeSocket]
  for (const socket of [a, b, c]) pace.add(socket)
  b.destroyed = true
  clock.runTurn()
  pace.add(d)
  expect(begun).toEqual([a, c])
  clock.runTurn()
  clock.runTurn()
  pace.add(e)
  expect(begun).toEqual([a, c, d, e])
})

test('while no connection arrives, no turn is scheduled (P-110)', () => {
  const { clock, pace, begun, sockets } = setUp(1)
  const afterTurn = vi.spyOn(clock, 'afterTurn')
  const [a, b] = sockets as [FakeSocket, FakeSocket]
  a.destroyed = true
  pace.add(a)
  expect(afterTurn).toHaveBeenCalledTimes(0)
  pace.add(b)
  for (let turn = 0; turn < 3; turn++) clock.runTurn()
  expect(begun).toEqual([b])
  expect(afterTurn).toHaveBeenCalledTimes(1)
})

// Bun's collector keeps whatever looks like a reference on the stack.
test.runIf(RUNTIME.name === 'node')(
  'a connection that has been started is not kept, even while others wait (P-110)',
  async () => {
    const clock = new FakeClock({ turns: 'manual' })
    const pace = new AcceptPace<FakeSocket>(clock, 2, () => {})
    const sockets = Array.from({ length: 5 }, () => {
      const socket = { destroyed: false }
      pace.add(socket)
      return new WeakRef(socket)
    })
    clock.runTurn()
    // A reference is weak only from the next turn of the event loop.
    await settle(1)
    await nodeEngine.collectGarbage()
    expect([pace.waiting, sockets.filter(socket => socket.deref() !== undefined).length]).toEqual([1, 1])
  },
)

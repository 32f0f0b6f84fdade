import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { LoginTurns } from './login-turns.ts'

test('LoginTurns lets one go on per turn, sources by turns (P-112)', async () => {
  const clock = new FakeClock({ turns: 'manual' })
  const turns = new LoginTurns(clock)
  const done: string[] = []
  const wait = (name: string, address?: string) => void turns.wait(address).then(() => done.push(name))
  for (const name of ['a1', 'a2', 'a3']) wait(name, '192.0.2.1')
  wait('b1', '2001:db8::1')
  wait('b2', '2001:db8::2')
  wait('c1')
  const order = ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']
  for (let count = 0; count <= order.length; count++) {
    await settle(1)
    expect(done).toEqual(order.slice(0, count))
    clock.runTurn()
  }
  // So it is after turns in which nobody waited.
  clock.runTurn()
  for (const name of ['a4', 'a5']) wait(name, '192.0.2.1')
  clock.runTurn()
  await settle(1)
  expect(done).toEqual([...order, 'a4'])
})

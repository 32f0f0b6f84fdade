import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { KeyTurns } from './key-turns.ts'

test('KeyTurns has one group for a key, until the last connection has left it (P-111)', () => {
  const turns = new KeyTurns(new FakeClock())
  const [key, other] = [NodePrivateKey.generate().publicKey(), NodePrivateKey.generate().publicKey()]
  const group = turns.join(key)
  expect(turns.join(other)).not.toBe(group)
  expect(turns.join(key)).toBe(group)
  turns.leave(key)
  expect([turns.size, turns.join(key) === group]).toEqual([2, true])
  for (let n = 0; n < 2; n++) turns.leave(key)
  expect(turns.size).toBe(1)
  turns.leave(key)
  expect(turns.size).toBe(1)
  expect(turns.join(key)).not.toBe(group)
})

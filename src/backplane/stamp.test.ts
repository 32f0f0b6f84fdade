import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import { isNewer, relayIdOf } from './stamp.ts'

test('the later time is newer, then the greater relay id; no stamp is newer than itself (P-302)', () => {
  const [a, b] = [
    { time: 1, relay: 'aa' },
    { time: 1, relay: 'bb' },
  ]
  expect([isNewer(b, a), isNewer(a, b), isNewer(a, a)]).toEqual([true, false, false])
  const later = { time: 2, relay: 'aa' }
  expect([isNewer(later, b), isNewer(b, later)]).toEqual([true, false])
})

test('a relay id is the first 16 hex digits of the public key (P-301)', () => {
  expect(relayIdOf(NodePublicKey.fromBytes(Uint8Array.from({ length: 32 }, (_, n) => n)))).toBe('0001020304050607')
})

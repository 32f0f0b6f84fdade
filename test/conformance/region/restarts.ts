/** Relays that restart, with or without a farewell. */

import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { deepEqual, expectRelays } from '../check.ts'
import { nextNews } from '../presence.ts'
import { introduce, introduceEachOther } from './flows.ts'
import type { RegionCase } from './region-case.ts'

const SIGNALS = ['SIGTERM', 'SIGKILL'] as const

const returning: RegionCase[] = SIGNALS.map(signal => ({
  id: `restart/clients-return-after-${signal}`,
  clauses: ['P-215', 'P-301', 'P-316'],
  alone: true,
  async run({ relays: [one, other, third], restart }) {
    const [a, c, privateKey] = [await one.login(), await third.login(), NodePrivateKey.generate()]
    const before = await other.login({ privateKey })
    await introduceEachOther(a, before)
    await introduceEachOther(a, c)
    await restart(1, signal)
    // Others are not affected.
    await expectRelays(a, c)
    await before.closed()
    const after = await other.login({ privateKey })
    await introduceEachOther(a, after)
    await expectRelays(a, after)
    await introduceEachOther(after, c)
  },
}))

const gone: RegionCase[] = SIGNALS.map(signal => ({
  id: `restart/others-are-told-after-${signal}`,
  clauses: ['P-062', 'P-316'],
  alone: true,
  async run({ relays: [one, , third], restart }) {
    const [a, b] = [await one.login(), await third.login()]
    await introduce(b, a)
    await restart(2, signal)
    deepEqual(await nextNews(a, b.publicKey), { type: 'peerGone', peer: b.publicKey, reason: 0 })
    await introduce(a, await third.login())
  },
}))

export const restartCases: readonly RegionCase[] = [...returning, ...gone]

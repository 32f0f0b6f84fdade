/** Who is told that a peer has left, and how often. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import { deepEqual, discoPacket, equal, expectNothingBut, expectRelays } from '../check.ts'
import { caughtUp, depart, newsOf, nextNews } from '../presence.ts'

/** `client` is told once that `peer` has left. */
async function expectToldOnce(client: RawClient, peer: RawClient): Promise<void> {
  deepEqual(await nextNews(client, peer.publicKey), { type: 'peerGone', peer: peer.publicKey, reason: 0 })
  deepEqual(newsOf(await caughtUp(client), peer.publicKey), [])
}

export const peerGoneCases: readonly ConformanceCase[] = [
  {
    id: 'peer-gone/told-to-a-receiver',
    clauses: ['P-060', 'P-062'],
    async run(target) {
      const [source, receiver] = [await target.login(), await target.login()]
      for (let n = 0; n < 3; n++) await expectRelays(source, receiver)
      await depart(source)
      await expectToldOnce(receiver, source)
    },
  },
  {
    id: 'peer-gone/33-bytes',
    clauses: ['P-060'],
    async run(target) {
      const [source, receiver] = [await target.login(), await target.login()]
      await expectRelays(source, receiver)
      await depart(source)
      const { type, body } = await receiver.frame()
      equal(type, FrameType.PeerGone)
      deepEqual([...body], [...source.publicKey.bytes, 0])
    },
  },
  {
    id: 'peer-gone/told-to-all-receivers',
    clauses: ['P-062'],
    async run(target) {
      const source = await target.login()
      const receivers = await Promise.all(Array.from({ length: 20 }, () => target.login()))
      for (const receiver of receivers) await expectRelays(source, receiver)
      await depart(source)
      for (const receiver of receivers) await expectToldOnce(receiver, source)
    },
  },
  {
    id: 'peer-gone/of-each-source',
    clauses: ['P-062'],
    async run(target) {
      const receiver = await target.login()
      const sources = await Promise.all(Array.from({ length: 10 }, () => target.login()))
      for (const source of [...sources, ...sources]) await expectRelays(source, receiver)
      for (const source of sources) {
        await depart(source)
        await expectToldOnce(receiver, source)
      }
    },
  },
  {
    id: 'peer-gone/not-to-those-who-only-sent',
    clauses: ['P-062'],
    async run(target) {
      const [peer, sender, witness] = [await target.login(), await target.login(), await target.login()]
      await expectRelays(sender, peer)
      await expectRelays(peer, witness)
      await depart(peer)
      await expectToldOnce(witness, peer)
      deepEqual(await caughtUp(sender), [])
    },
  },
  {
    id: 'peer-gone/not-to-strangers',
    clauses: ['P-062'],
    async run(target) {
      const [peer, stranger, witness] = [await target.login(), await target.login(), await target.login()]
      await expectRelays(peer, witness)
      await depart(peer)
      await expectToldOnce(witness, peer)
      deepEqual(await caughtUp(stranger), [])
    },
  },
  {
    id: 'peer-gone/once-ever-for-a-connection',
    clauses: ['P-062'],
    async run(target) {
      const [receiver, privateKey] = [await target.login(), NodePrivateKey.generate()]
      const first = await target.login({ privateKey })
      await expectRelays(first, receiver)
      await depart(first)
      await expectToldOnce(receiver, first)
      const [again, witness] = [await target.login({ privateKey }), await target.login()]
      await expectRelays(again, receiver)
      await expectRelays(again, witness)
      await depart(again)
      await expectToldOnce(witness, again)
      deepEqual(newsOf(await caughtUp(receiver), again.publicKey), [])
    },
  },
  {
    id: 'peer-gone/again-for-another-connection',
    clauses: ['P-062'],
    async run(target) {
      const [receiverKey, sourceKey] = [NodePrivateKey.generate(), NodePrivateKey.generate()]
      for (let round = 0; round < 3; round++) {
        const receiver = await target.login({ privateKey: receiverKey })
        const source = await target.login({ privateKey: sourceKey })
        await expectRelays(source, receiver)
        await depart(source)
        await expectToldOnce(receiver, source)
        await depart(receiver)
        await delay(20)
      }
    },
  },
  {
    id: 'peer-gone/not-to-another-connection-that-received-nothing',
    clauses: ['P-062'],
    async run(target) {
      const privateKey = NodePrivateKey.generate()
      const [source, former] = [await target.login(), await target.login({ privateKey })]
      await expectRelays(source, former)
      await depart(former)
      const [now, witness] = [await target.login({ privateKey }), await target.login()]
      await expectRelays(source, witness)
      await depart(source)
      await expectToldOnce(witness, source)
      deepEqual(newsOf(await caughtUp(now), source.publicKey), [])
    },
  },
  {
    id: 'peer-gone/told-to-each-connection-of-a-key-that-received',
    clauses: ['P-062', 'P-065'],
    async run(target) {
      const [source, privateKey] = [await target.login(), NodePrivateKey.generate()]
      const first = await target.login({ privateKey })
      await expectRelays(source, first)
      const second = await target.login({ privateKey })
      await expectRelays(source, second)
      const third = await target.login({ privateKey })
      await depart(source)
      await expectToldOnce(first, source)
      await expectToldOnce(second, source)
      deepEqual(newsOf(await caughtUp(third), source.publicKey), [])
    },
  },
  {
    id: 'peer-gone/receiver-may-leave-first',
    clauses: ['P-062'],
    async run(target) {
      const [source, leaving, staying] = [await target.login(), await target.login(), await target.login()]
      await expectRelays(source, leaving)
      await expectRelays(source, staying)
      await depart(leaving)
      await delay(20)
      await depart(source)
      await expectToldOnce(staying, source)
    },
  },
  {
    id: 'peer-gone/not-here-after-departure',
    clauses: ['P-055', 'P-061', 'P-062'],
    async run(target) {
      const [source, receiver] = [await target.login(), await target.login()]
      await expectRelays(source, receiver)
      await depart(source)
      await expectToldOnce(receiver, source)
      receiver.packet(source.publicKey, new Uint8Array(100))
      await expectNothingBut(receiver)
      receiver.packet(source.publicKey, discoPacket())
      deepEqual(await nextNews(receiver, source.publicKey), { type: 'peerGone', peer: source.publicKey, reason: 1 })
    },
  },
  {
    id: 'peer-gone/by-fault-as-by-will',
    clauses: ['P-003', 'P-062'],
    async run(target) {
      const [source, receiver] = [await target.login(), await target.login()]
      await expectRelays(source, receiver)
      source.sendBytes(Uint8Array.of(FrameType.Ping, 0, 0, 0, 0))
      await expectToldOnce(receiver, source)
    },
  },
  {
    id: 'peer-gone/nothing-on-arrival',
    clauses: ['P-062'],
    async run(target) {
      const [receiver, privateKey] = [await target.login(), NodePrivateKey.generate()]
      const first = await target.login({ privateKey })
      await expectRelays(first, receiver)
      await depart(first)
      await expectToldOnce(receiver, first)
      const again = await target.login({ privateKey })
      await expectRelays(receiver, again)
      deepEqual(await caughtUp(receiver), [])
    },
  },
]

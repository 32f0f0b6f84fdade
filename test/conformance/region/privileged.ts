/** Watchers and ClosePeer, where the peer is at another relay. */

import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { deepEqual, equal, expectClosed, expectRelays, strangerKey } from '../check.ts'
import { caughtUp, depart, newsOf, nextNews, watch } from '../presence.ts'
import { introduce, introduceEachOther } from './flows.ts'
import type { RegionCase } from './region-case.ts'

const watchers: RegionCase[] = [
  {
    id: 'watchers/see-only-clients-of-their-relay',
    clauses: ['P-070', 'P-077', 'P-315'],
    async run({ relays: [one, other] }) {
      const watcher = await watch(one)
      const [far, near] = [await other.login(), await one.login()]
      await introduceEachOther(far, near)
      deepEqual((await nextNews(watcher, near.publicKey)).type, 'peerPresent')
      await depart(far)
      await nextNews(near, far.publicKey)
      deepEqual(newsOf(await caughtUp(watcher), far.publicKey), [])
    },
  },
  {
    id: 'watchers/flood-has-only-clients-of-their-relay',
    clauses: ['P-070', 'P-315'],
    async run({ relays: [one, other] }) {
      const [near, far] = [await one.login(), await other.login()]
      await introduceEachOther(near, far)
      const watcher = await one.mesh()
      watcher.send({ type: 'watchConns' })
      await nextNews(watcher, near.publicKey)
      deepEqual(newsOf(await caughtUp(watcher), far.publicKey), [])
    },
  },
  {
    id: 'watchers/of-both-relays-see-a-move',
    clauses: ['P-071', 'P-077'],
    async run({ relays: [, other, third] }) {
      const [old, young] = [await watch(other), await watch(third)]
      const privateKey = NodePrivateKey.generate()
      const before = await other.login({ privateKey })
      equal((await nextNews(old, before.publicKey)).type, 'peerPresent')
      await third.login({ privateKey })
      equal((await nextNews(young, before.publicKey)).type, 'peerPresent')
      await depart(before)
      equal((await nextNews(old, before.publicKey)).type, 'peerGone')
      deepEqual(newsOf(await caughtUp(young), before.publicKey), [])
    },
  },
  {
    id: 'watchers/are-told-of-a-key-that-remains-elsewhere',
    clauses: ['P-077'],
    async run({ relays: [one, other] }) {
      const watcher = await watch(one)
      const privateKey = NodePrivateKey.generate()
      const [near, far] = [await one.login({ privateKey }), await other.login({ privateKey })]
      await introduce(far, await one.login())
      await depart(near)
      equal((await nextNews(watcher, privateKey.publicKey())).type, 'peerPresent')
      equal((await nextNews(watcher, privateKey.publicKey())).type, 'peerGone')
    },
  },
]

const closing: RegionCase[] = [
  {
    id: 'close-peer/at-its-relay',
    clauses: ['P-073', 'P-323'],
    async run({ relays: [one, other] }) {
      const [peer, far] = [await one.login(), await other.login()]
      await introduceEachOther(peer, far)
      const admin = await one.mesh()
      admin.send({ type: 'closePeer', peer: peer.publicKey })
      await expectClosed(peer)
      await nextNews(far, peer.publicKey)
    },
  },
  {
    id: 'close-peer/at-another-relay',
    clauses: ['P-073', 'P-323'],
    async run({ kind, relays: [one, other] }) {
      const [peer, near] = [await other.login(), await one.login()]
      await introduceEachOther(peer, near)
      const admin = await one.mesh()
      admin.send({ type: 'closePeer', peer: peer.publicKey })
      await caughtUp(admin)
      if (kind === 'nats') await expectClosed(peer)
      else await expectRelays(peer, near)
    },
  },
  {
    id: 'close-peer/unknown-key',
    clauses: ['P-073'],
    async run({ relays: [one, other] }) {
      const [near, far] = [await one.login(), await other.login()]
      await introduceEachOther(near, far)
      const admin = await one.mesh()
      admin.send({ type: 'closePeer', peer: strangerKey() })
      await caughtUp(admin)
      await expectRelays(near, far)
      await expectRelays(far, near)
    },
  },
  {
    id: 'close-peer/it-may-return-elsewhere',
    clauses: ['P-073', 'P-323'],
    async run({ relays: [one, other, third] }) {
      const privateKey = NodePrivateKey.generate()
      const [peer, near] = [await one.login({ privateKey }), await other.login()]
      await introduceEachOther(peer, near)
      const admin = await one.mesh()
      admin.send({ type: 'closePeer', peer: peer.publicKey })
      await expectClosed(peer)
      const returned = await third.login({ privateKey })
      await introduceEachOther(returned, near)
      await expectRelays(near, returned)
    },
  },
]

export const privilegedCases: readonly RegionCase[] = [...watchers, ...closing]

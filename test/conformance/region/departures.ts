/** Clients that are nowhere, and clients that leave. */

import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { payload } from '../../support/payload.ts'
import { deepEqual, discoPacket, expectNothingBut, expectRelays, strangerKey } from '../check.ts'
import { caughtUp, depart, newsOf, nextNews } from '../presence.ts'
import { departSeen, expectNextGone, heardOf, introduce, witness } from './flows.ts'
import type { RegionCase } from './region-case.ts'

const unknown: RegionCase[] = [
  {
    id: 'unknown/disco-is-answered',
    clauses: ['P-061', 'P-309'],
    async run({ relays: [one] }) {
      const [client, nobody] = [await one.login(), strangerKey()]
      client.packet(nobody, discoPacket())
      deepEqual(await nextNews(client, nobody), { type: 'peerGone', peer: nobody, reason: 1 })
    },
  },
  {
    id: 'unknown/disco-is-answered-again',
    clauses: ['P-061', 'P-309'],
    async run({ relays: [, , third] }) {
      const [client, nobody] = [await third.login(), strangerKey()]
      for (let n = 0; n < 2; n++) {
        client.packet(nobody, discoPacket())
        deepEqual(await nextNews(client, nobody), { type: 'peerGone', peer: nobody, reason: 1 })
      }
    },
  },
  {
    id: 'unknown/other-packets-are-not-answered',
    clauses: ['P-061', 'P-309'],
    async run({ relays: [one] }) {
      const [client, nobody, marker] = [await one.login(), strangerKey(), strangerKey()]
      client.packet(nobody, payload(100, 1))
      client.packet(marker, discoPacket())
      deepEqual((await nextNews(client, marker)).peer.equals(marker), true)
      deepEqual(newsOf(await caughtUp(client), nobody), [])
    },
  },
  {
    id: 'unknown/reached-once-it-logs-in-elsewhere',
    clauses: ['P-309'],
    async run({ relays: [one, other] }) {
      const [client, privateKey] = [await one.login(), NodePrivateKey.generate()]
      client.packet(privateKey.publicKey(), discoPacket())
      await nextNews(client, privateKey.publicKey())
      const receiver = await other.login({ privateKey })
      await introduce(client, receiver)
      await expectRelays(client, receiver)
    },
  },
  {
    id: 'unknown/after-it-has-left-another-relay',
    clauses: ['P-061', 'P-309', 'P-311'],
    async run({ relays: [one, other] }) {
      const [a, b] = [await one.login(), await other.login()]
      await introduce(a, b)
      await introduce(b, a)
      await departSeen(b, a)
      a.packet(b.publicKey, discoPacket())
      deepEqual(await nextNews(a, b.publicKey), { type: 'peerGone', peer: b.publicKey, reason: 1 })
    },
  },
]

const gone: RegionCase[] = [
  {
    id: 'gone/told-when-a-peer-elsewhere-leaves',
    clauses: ['P-062', 'P-076', 'P-315'],
    async run({ relays: [one, other] }) {
      const [a, b] = [await one.login(), await other.login()]
      await introduce(b, a)
      await depart(b)
      deepEqual(await nextNews(a, b.publicKey), { type: 'peerGone', peer: b.publicKey, reason: 0 })
    },
  },
  {
    id: 'gone/told-when-its-last-packet-was-the-first',
    clauses: ['P-062', 'P-315'],
    async run({ kind, relays: [one, other] }) {
      const [a, b] = [await one.login(), await other.login()]
      if (kind === 'mesh') await introduce(b, a)
      b.packet(a.publicKey, payload(10, 1))
      await a.messageOf('receivedPacket')
      await departSeen(b, a)
    },
  },
  {
    id: 'gone/not-told-without-a-packet',
    clauses: ['P-062', 'P-315'],
    async run({ relays: [one, other] }) {
      const [a, b] = [await one.login(), await other.login()]
      const last = await witness(other, a)
      await introduce(a, b)
      await depart(b)
      await expectNextGone(a, last)
    },
  },
  {
    id: 'gone/told-only-once',
    clauses: ['P-062'],
    async run({ relays: [one, other] }) {
      const [a, privateKey] = [await one.login(), NodePrivateKey.generate()]
      const first = await other.login({ privateKey })
      await introduce(first, a)
      await departSeen(first, a)
      const second = await other.login({ privateKey })
      await introduce(second, a)
      const last = await witness(other, a)
      await depart(second)
      await expectNextGone(a, last)
    },
  },
  {
    id: 'gone/told-of-each-of-several',
    clauses: ['P-062', 'P-315'],
    async run({ relays: [one, other, third] }) {
      const a = await one.login()
      const peers = [await other.login(), await third.login(), await other.login()]
      for (const peer of peers) await introduce(peer, a)
      for (const peer of peers) await expectNextGone(a, peer)
    },
  },
  {
    id: 'gone/each-receiver-is-told',
    clauses: ['P-062', 'P-315'],
    async run({ relays: [one, other, third] }) {
      const peer = await one.login()
      const receivers = [await one.login(), await other.login(), await third.login()]
      for (const receiver of receivers) await introduce(peer, receiver)
      await depart(peer)
      for (const receiver of receivers)
        deepEqual(await nextNews(receiver, peer.publicKey), { type: 'peerGone', peer: peer.publicKey, reason: 0 })
    },
  },
  {
    id: 'gone/not-told-while-it-is-connected-elsewhere',
    clauses: ['P-062', 'P-076', 'P-307', 'P-315'],
    async run({ relays: [one, other, third] }) {
      const [a, privateKey] = [await one.login(), NodePrivateKey.generate()]
      const first = await other.login({ privateKey })
      await introduce(first, a)
      const second = await third.login({ privateKey })
      await heardOf(third, a)
      const last = await witness(other, a)
      await depart(first)
      await expectNextGone(a, last)
      await departSeen(second, a)
    },
  },
  {
    id: 'gone/told-when-the-peer-has-moved-and-leaves',
    clauses: ['P-062', 'P-315'],
    async run({ relays: [one, other, third] }) {
      const [a, privateKey] = [await one.login(), NodePrivateKey.generate()]
      const first = await other.login({ privateKey })
      await introduce(first, a)
      const second = await third.login({ privateKey })
      await heardOf(third, a)
      await depart(first)
      await introduce(a, second)
      await departSeen(second, a)
      await expectNothingBut(a)
    },
  },
]

export const departureCases: readonly RegionCase[] = [...unknown, ...gone]

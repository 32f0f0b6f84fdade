/** A stock relay that is a mesh peer of all relays of the region. */

import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { payload } from '../../support/payload.ts'
import { deepEqual, discoPacket, expectPacket, expectRelays, strangerKey } from '../check.ts'
import { depart, nextNews } from '../presence.ts'
import type { Target } from '../target.ts'
import { introduce, introduceEachOther, numbered, numbersUntil, upTo } from './flows.ts'
import type { RegionCase } from './region-case.ts'

const sizes: RegionCase[] = [0, 1_280, 65_536].map(size => ({
  id: `stock/size-${size}`,
  clauses: ['P-072'],
  needsStock: true,
  async run({ relays: [one], stock }) {
    const [a, b] = [await one.login(), await stock.login()]
    await introduceEachOther(a, b)
    a.packet(b.publicKey, payload(size, 1))
    await expectPacket(b, a, payload(size, 1))
    b.packet(a.publicKey, payload(size, 2))
    await expectPacket(a, b, payload(size, 2))
  },
}))

const others: RegionCase[] = [
  {
    id: 'stock/all-relays-reach-it',
    clauses: ['P-072', 'P-078'],
    needsStock: true,
    async run({ relays, stock }) {
      const client = await stock.login()
      for (const relay of relays) {
        const ours = await relay.login()
        await introduceEachOther(client, ours)
        await expectRelays(ours, client)
      }
    },
  },
  {
    id: 'stock/order',
    clauses: ['P-005', 'P-072'],
    needsStock: true,
    async run({ relays: [one], stock }) {
      const [a, b] = [await one.login(), await stock.login()]
      await introduceEachOther(a, b)
      for (const n of upTo(30)) {
        a.packet(b.publicKey, numbered(n))
        b.packet(a.publicKey, numbered(n))
      }
      deepEqual(await numbersUntil(b, 29), upTo(30))
      deepEqual(await numbersUntil(a, 29), upTo(30))
    },
  },
  {
    id: 'stock/its-client-leaves',
    clauses: ['P-062', 'P-076'],
    needsStock: true,
    async run({ relays: [one], stock }) {
      const [a, b] = [await one.login(), await stock.login()]
      await introduce(b, a)
      await depart(b)
      deepEqual(await nextNews(a, b.publicKey), { type: 'peerGone', peer: b.publicKey, reason: 0 })
    },
  },
  {
    id: 'stock/our-client-leaves',
    clauses: ['P-062', 'P-077'],
    needsStock: true,
    async run({ relays: [, , third], stock }) {
      const [a, b] = [await third.login(), await stock.login()]
      await introduce(a, b)
      await depart(a)
      deepEqual(await nextNews(b, a.publicKey), { type: 'peerGone', peer: a.publicKey, reason: 0 })
    },
  },
  {
    id: 'stock/disco-for-nobody',
    clauses: ['P-061', 'P-309'],
    needsStock: true,
    async run({ relays: [one], stock }) {
      for (const relay of [one, stock]) {
        const [client, nobody] = [await relay.login(), strangerKey()]
        client.packet(nobody, discoPacket())
        deepEqual(await nextNews(client, nobody), { type: 'peerGone', peer: nobody, reason: 1 })
      }
    },
  },
]

const moves: RegionCase[] = (
  [
    ['from-it', ({ stock, relays }) => [stock, relays[1]]],
    ['to-it', ({ stock, relays }) => [relays[1], stock]],
  ] satisfies [string, (region: Parameters<RegionCase['run']>[0]) => [Target, Target]][]
).map(([name, ends]) => ({
  id: `stock/client-moves-${name}`,
  clauses: ['P-075', 'P-304'],
  needsStock: true,
  async run(region) {
    const [from, to] = ends(region)
    const peer = await region.relays[0].login()
    const privateKey = NodePrivateKey.generate()
    const before = await from.login({ privateKey })
    await introduceEachOther(peer, before)
    const after = await to.login({ privateKey })
    await depart(before)
    await introduceEachOther(peer, after)
    await expectRelays(peer, after)
    await expectRelays(after, peer)
  },
}))

export const stockCases: readonly RegionCase[] = [...sizes, ...others, ...moves]

/** Clients that move between relays, and keys that are connected to several. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { deepEqual, expectPacket, expectRelays, ok } from '../check.ts'
import { depart } from '../presence.ts'
import type { Target } from '../target.ts'
import { heardOf, introduce, introduceEachOther, numbered, numbersUntil, upTo } from './flows.ts'
import type { RegionCase } from './region-case.ts'

/** A client at `from` that exchanges packets with `peer`, logs in at `to`, and leaves `from`. */
async function move(peer: RawClient, from: Target, to: Target): Promise<RawClient> {
  const privateKey = NodePrivateKey.generate()
  const before = await from.login({ privateKey })
  await introduceEachOther(peer, before)
  const after = await to.login({ privateKey })
  await depart(before)
  return after
}

/** Relays of the peer, and of the client before and after. */
const ways: Readonly<Record<string, readonly [peer: number, from: number, to: number]>> = {
  'to-another-relay': [0, 1, 2],
  'to-the-relay-of-its-peer': [0, 1, 0],
  'from-the-relay-of-its-peer': [0, 0, 1],
  'within-its-relay': [0, 1, 1],
}

const simple: RegionCase[] = Object.entries(ways).map(([name, [peerAt, from, to]]) => ({
  id: `moves/${name}`,
  clauses: ['P-075', 'P-304', 'P-311'],
  async run({ relays }) {
    const peer = await (relays[peerAt] as Target).login()
    const moved = await move(peer, relays[from] as Target, relays[to] as Target)
    await introduce(peer, moved)
    await expectRelays(peer, moved)
    await introduce(moved, peer)
    await expectRelays(moved, peer)
  },
}))

const moves: RegionCase[] = [
  {
    id: 'moves/leaves-before-it-arrives',
    clauses: ['P-304', 'P-309'],
    async run({ relays: [one, other, third] }) {
      const [peer, privateKey] = [await one.login(), NodePrivateKey.generate()]
      const before = await other.login({ privateKey })
      await introduce(peer, before)
      await depart(before)
      const after = await third.login({ privateKey })
      await introduce(peer, after)
      await expectRelays(peer, after)
    },
  },
  {
    id: 'moves/back-and-forth',
    clauses: ['P-304', 'P-307'],
    async run({ relays }) {
      const [peer, privateKey] = [await relays[0].login(), NodePrivateKey.generate()]
      let now = await relays[1].login({ privateKey })
      for (const n of upTo(6)) {
        await introduce(peer, now)
        const next = await (relays[(n % 2) + 1] as Target).login({ privateKey })
        await depart(now)
        now = next
      }
      await introduce(peer, now)
      await expectRelays(peer, now)
    },
  },
  {
    id: 'moves/both-peers-change-places',
    clauses: ['P-304'],
    async run({ relays: [one, other] }) {
      const [keyA, keyB] = [NodePrivateKey.generate(), NodePrivateKey.generate()]
      const [a, b] = [await one.login({ privateKey: keyA }), await other.login({ privateKey: keyB })]
      await introduceEachOther(a, b)
      const [movedA, movedB] = [await other.login({ privateKey: keyA }), await one.login({ privateKey: keyB })]
      await depart(a)
      await depart(b)
      await introduceEachOther(movedA, movedB)
      await expectRelays(movedA, movedB)
      await expectRelays(movedB, movedA)
    },
  },
  {
    id: 'moves/while-it-is-sent-to',
    clauses: ['P-005', 'P-304', 'P-311'],
    async run({ relays: [one, other, third] }) {
      const [peer, privateKey] = [await one.login(), NodePrivateKey.generate()]
      const before = await other.login({ privateKey })
      await introduce(peer, before)
      let n = 0
      let isSending = true
      const sending = (async () => {
        while (isSending) {
          peer.packet(privateKey.publicKey(), numbered(n++))
          await delay(1)
        }
      })()
      const after = await third.login({ privateKey })
      await delay(20)
      await depart(before)
      const first = await after.messageOf('receivedPacket')
      isSending = false
      await sending
      const last = n
      peer.packet(privateKey.publicKey(), numbered(last))
      const here = [new DataView(first.data.slice().buffer).getUint32(0), ...(await numbersUntil(after, last))]
      const there = before.waitingFrames.map(({ body }) => new DataView(body.slice(-4).buffer).getUint32(0))
      for (const numbers of [here, there]) {
        deepEqual(
          numbers,
          numbers.toSorted((left, right) => left - right),
        )
      }
      deepEqual(new Set([...here, ...there]).size, here.length + there.length, 'each packet comes once')
    },
  },
  {
    id: 'moves/may-send-at-once',
    clauses: ['P-304', 'P-314'],
    async run({ relays: [one, other, third] }) {
      const peer = await one.login()
      const moved = await move(peer, other, third)
      await introduce(moved, peer)
      await expectRelays(moved, peer)
    },
  },
]

/** A sender, and connections of one key to relays in this order. */
async function duplicates(sender: RawClient, relays: readonly Target[]): Promise<RawClient[]> {
  const privateKey = NodePrivateKey.generate()
  const connections: RawClient[] = []
  for (const relay of relays) {
    connections.push(await relay.login({ privateKey }))
    await heardOf(relay, sender)
  }
  return connections
}

/** The connections that have received `data`. */
function receivers(connections: readonly RawClient[], data: Uint8Array): number[] {
  return [...connections.keys()].filter(n =>
    connections[n]?.waitingFrames.some(({ body }) => Buffer.from(body).subarray(-data.length).equals(data)),
  )
}

/** Sends a packet; returns the connections that receive it. */
async function receiversOf(sender: RawClient, connections: readonly RawClient[]): Promise<number[]> {
  const data = crypto.getRandomValues(new Uint8Array(16))
  sender.packet((connections[0] as RawClient).publicKey, data)
  while (receivers(connections, data).length === 0) await delay(1)
  return receivers(connections, data)
}

const several: RegionCase[] = [
  {
    id: 'duplicates/one-gets-the-packets',
    clauses: ['P-075', 'P-304'],
    async run({ kind, relays: [one, other, third] }) {
      const sender = await one.login()
      const connections = await duplicates(sender, [other, third])
      deepEqual(await receiversOf(sender, connections), [kind === 'nats' ? 1 : 0])
    },
  },
  {
    id: 'duplicates/the-local-one-or-the-newest',
    clauses: ['P-075', 'P-304'],
    async run({ kind, relays: [one, other] }) {
      const sender = await one.login()
      const connections = await duplicates(sender, [one, other])
      deepEqual(await receiversOf(sender, connections), [kind === 'nats' ? 1 : 0])
    },
  },
  {
    id: 'duplicates/the-local-one-if-it-is-the-newest',
    clauses: ['P-075', 'P-304'],
    async run({ relays: [one, other] }) {
      const sender = await one.login()
      const connections = await duplicates(sender, [other, one])
      deepEqual(await receiversOf(sender, connections), [1])
    },
  },
  {
    id: 'duplicates/the-older-one-returns',
    clauses: ['P-076', 'P-307'],
    async run({ relays: [one, other, third] }) {
      const sender = await one.login()
      const [older, newer] = (await duplicates(sender, [other, third])) as [RawClient, RawClient]
      await depart(newer)
      await introduce(sender, older)
      await expectRelays(sender, older)
    },
  },
  {
    id: 'duplicates/the-newest-of-three-leaves-first',
    clauses: ['P-304', 'P-307'],
    async run({ relays }) {
      const sender = await relays[0].login()
      const connections = await duplicates(sender, relays)
      while (connections.length > 1) {
        await depart(connections.pop() as RawClient)
        if (connections.length === 1) await introduce(sender, connections[0] as RawClient)
        else ok((await receiversSoon(sender, connections)).length === 1, 'one receives')
      }
    },
  },
  {
    id: 'duplicates/all-may-send',
    clauses: ['P-065', 'P-304'],
    async run({ relays: [one, other, third] }) {
      const receiver = await one.login()
      const connections = await duplicates(receiver, [other, third])
      for (const [n, connection] of connections.entries()) {
        await introduce(connection, receiver)
        connection.packet(receiver.publicKey, numbered(n))
        await expectPacket(receiver, connection, numbered(n))
      }
    },
  },
]

/** The same as {@link receiversOf}, while relays learn of a departure: packets may be lost. */
async function receiversSoon(sender: RawClient, connections: readonly RawClient[]): Promise<number[]> {
  for (;;) {
    const data = crypto.getRandomValues(new Uint8Array(16))
    sender.packet((connections[0] as RawClient).publicKey, data)
    await delay(10)
    const found = receivers(connections, data)
    if (found.length > 0) return found
  }
}

export const moveCases: readonly RegionCase[] = [...simple, ...moves, ...several]

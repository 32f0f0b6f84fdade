/** Packets between clients of different relays. */

import { payload } from '../../support/payload.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { deepEqual, discoPacket, expectNothingBut, expectPacket, expectRelays } from '../check.ts'
import type { Target } from '../target.ts'
import { heardOf, introduce, introduceEachOther, numbered, numbersUntil, upTo } from './flows.ts'
import type { RegionCase } from './region-case.ts'

/** A pair that knows each other, at different relays. */
async function pair(one: Target, other: Target): Promise<readonly [RawClient, RawClient]> {
  const clients = [await one.login(), await other.login()] as const
  await introduceEachOther(...clients)
  return clients
}

const sizes: RegionCase[] = [0, 1, 61, 1_280, 16_384, 65_536].map(size => ({
  id: `delivery/size-${size}`,
  clauses: ['P-050', 'P-072', 'P-319'],
  async run({ relays: [one, other] }) {
    const [a, b] = await pair(one, other)
    a.packet(b.publicKey, payload(size, 3))
    await expectPacket(b, a, payload(size, 3))
    b.packet(a.publicKey, payload(size, 4))
    await expectPacket(a, b, payload(size, 4))
    await expectNothingBut(a)
    await expectNothingBut(b)
  },
}))

const directions: RegionCase[] = upTo(3).flatMap(from =>
  upTo(3)
    .filter(to => to !== from)
    .map(to => ({
      id: `delivery/from-${from}-to-${to}`,
      clauses: ['P-072', 'P-308', 'P-319'],
      async run({ relays }) {
        const [sender, receiver] = [await (relays[from] as Target).login(), await (relays[to] as Target).login()]
        await introduce(sender, receiver)
        await expectRelays(sender, receiver)
        await expectNothingBut(sender)
      },
    })),
)

const delivery: RegionCase[] = [
  {
    id: 'delivery/first-packets',
    clauses: ['P-075', 'P-308', 'P-310', 'P-319'],
    async run({ kind, relays: [one, other] }) {
      const [sender, receiver] = [await one.login(), await other.login()]
      // In a mesh the relay has to know the client before, over NATS it looks for it.
      if (kind === 'mesh') await introduce(sender, receiver)
      for (const n of upTo(32)) sender.packet(receiver.publicKey, numbered(n, 1_280))
      deepEqual(await numbersUntil(receiver, 31), upTo(32))
    },
  },
  {
    id: 'delivery/disco',
    clauses: ['P-053', 'P-072'],
    async run({ relays: [one, other] }) {
      const [a, b] = await pair(one, other)
      a.packet(b.publicKey, discoPacket())
      await expectPacket(b, a, discoPacket())
      await expectNothingBut(a)
    },
  },
  {
    id: 'delivery/reply-takes-the-way-back',
    clauses: ['P-072', 'P-314'],
    async run({ kind, relays: [one, other] }) {
      const [a, b] = [await one.login(), await other.login()]
      await introduce(a, b)
      if (kind === 'mesh') await introduce(b, a)
      await expectRelays(b, a)
    },
  },
  {
    id: 'delivery/all-to-all',
    clauses: ['P-072', 'P-308'],
    async run({ relays }) {
      const clients = [await relays[0].login(), await relays[1].login(), await relays[2].login()]
      for (const a of clients) for (const b of clients) if (a !== b) await introduce(a, b)
      for (const a of clients) for (const b of clients) if (a !== b) await expectRelays(a, b)
    },
  },
  {
    id: 'delivery/to-twenty-receivers',
    clauses: ['P-072', 'P-308'],
    async run({ relays: [one, other, third] }) {
      const sender = await one.login()
      const receivers: RawClient[] = []
      for (const n of upTo(20)) receivers.push(await (n % 2 === 0 ? other : third).login())
      for (const receiver of receivers) await introduce(sender, receiver)
      for (const [n, receiver] of receivers.entries()) sender.packet(receiver.publicKey, payload(n * 9, n))
      for (const [n, receiver] of receivers.entries()) await expectPacket(receiver, sender, payload(n * 9, n))
    },
  },
  {
    id: 'delivery/from-twenty-senders',
    clauses: ['P-072', 'P-308'],
    async run({ relays: [one, other, third] }) {
      const receiver = await one.login()
      for (const n of upTo(20)) {
        const sender = await (n % 2 === 0 ? other : third).login()
        await introduce(sender, receiver)
        await expectRelays(sender, receiver)
      }
    },
  },
  {
    id: 'delivery/local-pairs-are-not-affected',
    clauses: ['P-050'],
    async run({ relays: [one, other] }) {
      const [a, b] = await pair(one, other)
      await expectRelays(a, await one.login())
      await expectRelays(b, await other.login())
      await expectNothingBut(a)
    },
  },
]

const order: RegionCase[] = [
  {
    id: 'order/500-packets',
    clauses: ['P-005', 'P-072'],
    async run({ relays: [one, other] }) {
      const [a, b] = await pair(one, other)
      for (const n of upTo(500)) a.packet(b.publicKey, numbered(n, 300))
      const numbers = await numbersUntil(b, 499)
      // A queue may lose some, but never swaps them.
      deepEqual(
        numbers,
        numbers.toSorted((left, right) => left - right),
      )
      deepEqual(new Set(numbers).size, numbers.length)
    },
  },
  {
    id: 'order/sizes-vary',
    clauses: ['P-005', 'P-072'],
    async run({ relays: [one, other] }) {
      const [a, b] = await pair(one, other)
      for (const n of upTo(30)) a.packet(b.publicKey, numbered(n, (n % 5) * 3_000))
      deepEqual(await numbersUntil(b, 29), upTo(30))
    },
  },
  {
    id: 'order/both-directions',
    clauses: ['P-005', 'P-072'],
    async run({ relays: [one, other] }) {
      const [a, b] = await pair(one, other)
      for (const n of upTo(30)) {
        a.packet(b.publicKey, numbered(n))
        b.packet(a.publicKey, numbered(n))
      }
      deepEqual(await numbersUntil(b, 29), upTo(30))
      deepEqual(await numbersUntil(a, 29), upTo(30))
    },
  },
  {
    id: 'order/receivers-alternate',
    clauses: ['P-005', 'P-072'],
    async run({ relays: [one, other, third] }) {
      const [a, b] = await pair(one, other)
      const c = await third.login()
      await introduce(a, c)
      for (const n of upTo(30)) {
        a.packet(b.publicKey, numbered(n))
        a.packet(c.publicKey, numbered(n))
      }
      deepEqual(await numbersUntil(b, 29), upTo(30))
      deepEqual(await numbersUntil(c, 29), upTo(30))
    },
  },
  {
    id: 'order/from-the-first-packet',
    clauses: ['P-005', 'P-310'],
    async run({ kind, relays: [one, , third] }) {
      const [sender, receiver] = [await one.login(), await third.login()]
      if (kind === 'mesh') await heardOf(third, sender)
      for (const n of upTo(16)) {
        sender.packet(receiver.publicKey, numbered(n))
        await sender.sync()
      }
      deepEqual(await numbersUntil(receiver, 15), upTo(16))
    },
  },
]

export const deliveryCases: readonly RegionCase[] = [...sizes, ...directions, ...delivery, ...order]

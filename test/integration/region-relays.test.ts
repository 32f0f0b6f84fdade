/** Relays of a region with real listeners and links; only the messages between them stay in memory. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Backplane } from '../../src/backplane/backplane.ts'
import { OnDemandLink } from '../../src/backplane/on-demand-link.ts'
import { relayIdOf } from '../../src/backplane/stamp.ts'
import { NodeClient } from '../../src/client/node/node-client.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { linkDialer } from '../../src/mesh/dial-link.ts'
import { MeshLinkCounters } from '../../src/metrics/mesh-counters.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { MemoryBroker } from '../support/memory-bus.ts'
import { nextMessage } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'

const meshKey = MeshKey.parse('7c'.repeat(32))

interface Member {
  readonly relay: ListeningRelay
  readonly url: string
  readonly backplane: Backplane
  readonly links: MeshLinkCounters
}

const broker = new MemoryBroker()
const members: Member[] = []

async function start(): Promise<Member> {
  const relay = await ListeningRelay.start({ meshKey })
  const { core } = relay.relay
  const url = `http://127.0.0.1:${relay.port}/derp`
  const links = new MeshLinkCounters()
  const ports = { dial: linkDialer(core, {}), counters: links, clock: systemClock, log: silentLog }
  const backplane = new Backplane({
    host: core,
    bus: broker.connect(relayIdOf(core.publicKey)),
    openLink: (to, events) => new OnDemandLink(to, ports, events),
    ownKey: core.publicKey,
    url,
    clock: systemClock,
    log: silentLog,
  })
  backplane.start()
  return { relay, url, backplane, links }
}

/** A client that its relay knows. */
async function login({ url }: Member, privateKey = NodePrivateKey.generate()): Promise<NodeClient> {
  const client = new NodeClient(privateKey, url)
  await nextMessage(client, 'serverInfo')
  return client
}

beforeAll(async () => {
  for (let n = 0; n < 3; n++) members.push(await start())
  await Promise.all(members.map(({ backplane }) => backplane.settled))
})

afterAll(async () => {
  for (const { backplane, relay } of members) {
    await backplane.stop()
    await relay[Symbol.asyncDispose]()
  }
})

test('the first 32 packets are not lost while a route is found and a link opened (P-308, P-319)', async () => {
  const [near, far] = members as [Member, Member]
  const [sender, receiver] = [await login(near), await login(far)]
  const sent = Array.from({ length: 32 }, (_, n) => n)
  await Promise.all(sent.map(n => sender.send(receiver.selfPublicKey(), Uint8Array.of(n))))
  const received: number[] = []
  for (const _ of sent) received.push((await nextMessage(receiver, 'receivedPacket')).data[0] as number)
  expect(received).toEqual(sent)
  // The way back is known by now, and needs a link of its own.
  await receiver.send(sender.selfPublicKey(), Uint8Array.of(99))
  const back = await nextMessage(sender, 'receivedPacket')
  expect([back.data[0], back.source.equals(receiver.selfPublicKey())]).toEqual([99, true])
  expect([near.links.connects, far.links.connects, far.backplane.counters.searches]).toEqual([1, 1, 0])
  for (const client of [sender, receiver]) await client.close()
})

test('a relay answers a check of the link to it (P-316)', async () => {
  const [near, far] = members as [Member, Member]
  const [sender, receiver] = [await login(near), await login(far)]
  await sender.send(receiver.selfPublicKey(), Uint8Array.of(1))
  await nextMessage(receiver, 'receivedPacket')
  const { core } = far.relay.relay
  near.backplane.members.get(relayIdOf(core.publicKey))?.link.check()
  await until(() => core.counters.sentPong > 0, 'the ping is answered')
  for (const client of [sender, receiver]) await client.close()
})

test('links of the region are not announced as clients, and relays know each other by their keys (P-304)', async () => {
  const [near, far, third] = members as [Member, Member, Member]
  expect(far.relay.relay.core.sessions.size).toBeGreaterThan(0)
  const client = await login(third)
  await client.send(near.relay.relay.publicKey, new Uint8Array(100))
  expect(near.backplane.isRelay(far.relay.relay.publicKey)).toBe(true)
  expect(near.backplane.isRelay(client.selfPublicKey())).toBe(false)
  await client.close()
})

test('a client that moves to another relay gets its packets there, without any action by senders (P-304)', async () => {
  const [a, b, c] = members as [Member, Member, Member]
  const privateKey = NodePrivateKey.generate()
  const [sender, first] = [await login(a), await login(b, privateKey)]
  await sender.send(privateKey.publicKey(), Uint8Array.of(1))
  expect((await nextMessage(first, 'receivedPacket')).data[0]).toBe(1)
  const second = await login(c, privateKey)
  // The announcement takes some milliseconds; until then packets still go to the first.
  let hasMoved = false
  const moved = nextMessage(second, 'receivedPacket').then(() => {
    hasMoved = true
  })
  while (!hasMoved) {
    await sender.send(privateKey.publicKey(), Uint8Array.of(2))
    await settle()
  }
  await moved
  for (const client of [sender, first, second]) await client.close()
})

/** What cases of several relays share: flows between clients, and witnesses of what relays have heard. */

import { setTimeout as delay } from 'node:timers/promises'
import { copyBytes } from '../../../src/lib/bytes.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { ok } from '../check.ts'
import { depart, nextNews } from '../presence.ts'
import type { Target } from '../target.ts'

/** Milliseconds between the first packets of a flow: a mesh learns of clients at some time. */
const PAUSE_MS = 10
const MARK_BYTES = 8

/** Resolves once packets of `from` reach `to`, with none on its way; what else `to` has received is thrown away. */
export async function introduce(from: RawClient, to: RawClient): Promise<void> {
  const mark = crypto.getRandomValues(new Uint8Array(MARK_BYTES))
  const ends = async (last: number) => {
    for (;;) {
      const message = await to.message()
      if (message.type !== 'receivedPacket' || message.data.length !== MARK_BYTES + 1) continue
      if (mark.every((byte, at) => byte === message.data[at]) && (message.data[MARK_BYTES] ?? 0) >= last) return
    }
  }
  const packet = (last: number) => from.packet(to.publicKey, Uint8Array.of(...mark, last))
  let hasCome = false
  const coming = ends(0).then(() => {
    hasCome = true
  })
  while (!hasCome) {
    packet(0)
    await Promise.race([coming, delay(PAUSE_MS)])
  }
  packet(1)
  await ends(1)
}

/** Both directions. */
export async function introduceEachOther(a: RawClient, b: RawClient): Promise<void> {
  await introduce(a, b)
  await introduce(b, a)
}

/** Resolves once the relay of `observer` has heard all that `relay` has told so far of its logins. */
export async function heardOf(relay: Target, observer: RawClient): Promise<void> {
  // What it tells of logins and departures keeps its order.
  await departSeen(await witness(relay, observer), observer)
}

/** A client of `relay` whose departure `observer` is told of. */
export async function witness(relay: Target, observer: RawClient): Promise<RawClient> {
  const client = await relay.login()
  await introduce(client, observer)
  return client
}

/** Ends `client`; `observer` is told of it, and before that of nothing else. */
export async function expectNextGone(observer: RawClient, client: RawClient): Promise<void> {
  await depart(client)
  const message = await observer.message()
  ok(
    message.type === 'peerGone' && message.peer.equals(client.publicKey),
    `${JSON.stringify(message)} came before the departure of ${client.publicKey}`,
  )
}

/** Ends `client`; resolves once `observer` has been told. */
export async function departSeen(client: RawClient, observer: RawClient): Promise<void> {
  await depart(client)
  await nextNews(observer, client.publicKey)
}

/** Takes packets from `source` until one has `last` as its number; returns the numbers, which packets begin with. */
export async function numbersUntil(client: RawClient, last: number): Promise<number[]> {
  const numbers: number[] = []
  while (numbers.at(-1) !== last) {
    const message = await client.message()
    if (message.type === 'receivedPacket') numbers.push(numberOf(message.data))
  }
  return numbers
}

/** A packet that begins with its number. */
export function numbered(n: number, size = 4): Uint8Array {
  const packet = new Uint8Array(Math.max(4, size))
  new DataView(packet.buffer).setUint32(0, n)
  return packet
}

function numberOf(data: Uint8Array): number {
  return new DataView(copyBytes(data).buffer).getUint32(0)
}

/** 0 to `count` - 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

/** Assertions that cases share; they work outside of any test runner. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import type { ServerToClient } from '../../src/protocol/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

/** A key that nobody is connected with. */
export const strangerKey = (): NodePublicKey => NodePrivateKey.generate().publicKey()

/** The shortest packet that looks like disco, or one of `size` bytes (P-053). */
export function discoPacket(size = 62): Uint8Array {
  const packet = new Uint8Array(size)
  packet.set(encodeUtf8('TS\u{1F4AC}'))
  return packet
}

/** The next message is a packet from `source` with `data`. */
export async function expectPacket(
  client: RawClient,
  source: RawClient | NodePublicKey,
  data: Uint8Array,
): Promise<void> {
  const message = await client.message()
  equal(message.type, 'receivedPacket')
  if (message.type !== 'receivedPacket') return
  equal(String(message.source), String('publicKey' in source ? source.publicKey : source))
  ok(Buffer.compare(message.data, data) === 0, `a packet of ${message.data.length} bytes came, not the one sent`)
}

/** The relay has answered everything, and with none but `messages`. */
export async function expectNothingBut(client: RawClient, messages: readonly ServerToClient[] = []): Promise<void> {
  deepEqual(withoutKeepAlive(await client.sync()), messages)
}

/** Keep-alives may come at any time; cases that are not about them do not see them. */
export function withoutKeepAlive(messages: readonly ServerToClient[]): ServerToClient[] {
  return messages.filter(({ type }) => type !== 'keepAlive')
}

/** The relay ends the connection. */
export async function expectClosed(client: RawClient): Promise<void> {
  await client.closed()
}

/** The relay still serves: a fresh pair exchanges a packet through it. */
export async function expectRelays(a: RawClient, b: RawClient): Promise<void> {
  const data = crypto.getRandomValues(new Uint8Array(40))
  a.packet(b.publicKey, data)
  await expectPacket(b, a, data)
}

export { deepEqual, equal, ok }

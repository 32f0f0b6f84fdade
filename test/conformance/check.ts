/** Shared assertions, independent of a test runner. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import type { ServerToClient } from '../../src/protocol/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

/** A key without a connection. */
export const strangerKey = (): NodePublicKey => NodePrivateKey.generate().publicKey()

/** The shortest packet that looks like disco, or one of `size` bytes (P-053). */
export function discoPacket(size = 62): Uint8Array {
  const packet = new Uint8Array(size)
  packet.set(encodeUtf8('TS\u{1F4AC}'))
  return packet
}

/** The next message, keep-alives aside, is a packet from `source` with `data`. */
export async function expectPacket(
  client: RawClient,
  source: RawClient | NodePublicKey,
  data: Uint8Array,
): Promise<void> {
  let message = await client.message()
  while (message.type === 'keepAlive') message = await client.message()
  equal(message.type, 'receivedPacket')
  if (message.type !== 'receivedPacket') return
  equal(String(message.source), String('publicKey' in source ? source.publicKey : source))
  ok(Buffer.compare(message.data, data) === 0, `a packet of ${message.data.length} bytes came, not the one sent`)
}

/** The relay has replied to everything, only with `messages`. */
export async function expectNothingBut(client: RawClient, messages: readonly ServerToClient[] = []): Promise<void> {
  deepEqual(withoutKeepAlive(await client.sync()), messages)
}

/** Keep-alives may arrive at any time; other cases ignore them. */
export function withoutKeepAlive(messages: readonly ServerToClient[]): ServerToClient[] {
  return messages.filter(({ type }) => type !== 'keepAlive')
}

/** The relay closes the connection. */
export async function expectClosed(client: RawClient): Promise<void> {
  await client.closed()
}

/** The relay still works: a pair exchanges a packet. */
export async function expectRelays(a: RawClient, b: RawClient): Promise<void> {
  const data = crypto.getRandomValues(new Uint8Array(40))
  a.packet(b.publicKey, data)
  await expectPacket(b, a, data)
}

/** Attempts of {@link withinMs}. */
const ATTEMPTS = 5

/**
 * Makes an attempt whose timed parts must finish within a time limit.
 *
 * A failed attempt that took longer only shows that the machine is busy: it is repeated.
 */
export async function withinMs(
  limitMs: number,
  attempt: (timed: (act: () => Promise<unknown>) => Promise<void>) => Promise<void>,
): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    let tookMs = 0
    try {
      await attempt(async act => {
        const since = performance.now()
        await act().finally(() => {
          tookMs += performance.now() - since
        })
      })
      return
    } catch (error) {
      if (tookMs < limitMs || attempts === ATTEMPTS) throw error
    }
  }
}

/** How long a client may stop reading: less than the relay's write timeout (P-101). */
export const STANDSTILL_MS = 1_800

export { deepEqual, equal, ok }

/** When the relay pauses reading from a client: the only backpressure on a fast sender. */

import { expect, test } from 'vitest'
import { encodeFrame } from '../../src/protocol/encode.ts'
import type { FrameType } from '../../src/protocol/frame-type.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import type { RawClient } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'

/** The minimum burst allows one of these frames immediately; each further one takes 60 s. */
const LIMIT = { bytesPerSecond: 1_000, burstBytes: 0 }
const FRAME = encodeFrame(0xee as FrameType, new Uint8Array(60_000))
/** Milliseconds that a second frame waits: the rest after a burst of 65,568 bytes. */
const SECOND_WAIT_MS = 2 * 60_000 - 65_568

/** Sends one more frame; resolves to whether the relay has read it. */
async function isRead(client: RawClient): Promise<boolean> {
  let read = false
  client.sendBytes(FRAME)
  void client.flushed().then(() => {
    read = true
  })
  await settle()
  return read
}

test('throttled frames after the login stop the relay from reading (P-037, P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const client = relay.connect()
  await client.greeting()
  client.sendBytes(Buffer.concat([await client.hello(), FRAME, FRAME]))
  await client.serverInfo()
  expect(relay.core.counters.rateLimitWaits).toBe(1)
  expect(await isRead(client)).toBe(false)
  relay.clock.advance(SECOND_WAIT_MS)
  await client.flushed()
})

test('a client that is throttled again is not read from in between (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const client = await relay.login()
  client.sendBytes(Buffer.concat([FRAME, FRAME, FRAME]))
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the second frame is waiting')
  relay.clock.advance(SECOND_WAIT_MS)
  expect(relay.core.counters.rateLimitWaits).toBe(2)
  expect(await isRead(client)).toBe(false)
  relay.clock.advance(60_000)
  await client.flushed()
})

test('a client that is not throttled is read from immediately, also right after its login (P-037)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const client = relay.connect()
  await client.greeting()
  client.sendBytes(Buffer.concat([await client.hello(), FRAME]))
  await client.serverInfo()
  client.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(10)))
  await client.flushed()
  expect([...relay.core.sessions].map(({ tally }) => tally.bytesReceived > 60_000)).toEqual([true])
})

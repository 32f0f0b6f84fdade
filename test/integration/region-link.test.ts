/** Links of a region: opened by their first packet, closed when idle. */

import { expect, test } from 'vitest'
import {
  LINK_CHECK_MS,
  LINK_IDLE_MS,
  LINK_LOOK_MS,
  LINK_RETRY_MAX_MS,
  LINK_RETRY_MIN_MS,
} from '../../src/backplane/limits.ts'
import { OnDemandLink } from '../../src/backplane/on-demand-link.ts'
import { relayIdOf } from '../../src/backplane/stamp.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import type { LogFields } from '../../src/lib/log.ts'
import type { LinkConnection } from '../../src/mesh/dial-link.ts'
import { MeshLinkCounters } from '../../src/metrics/mesh-counters.ts'
import { FRAME_HEADER_LENGTH } from '../../src/protocol/constants.ts'
import { PeerGoneReason, type ReceivedMessage } from '../../src/protocol/messages.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { settle } from '../support/settle.ts'
import { sendTo } from '../support/test-link.ts'

const FORWARD_OVERHEAD = FRAME_HEADER_LENGTH + 64
const source = NodePrivateKey.generate().publicKey()
const destination = NodePrivateKey.generate().publicKey()

/** The other end of a connection. */
class FarEnd implements LinkConnection {
  readonly serverKey: NodePublicKey
  readonly texts: string[] = []
  pings = 0
  answersPings = false
  isClosed = false
  readonly #messages: ReceivedMessage[] = []
  #wake: (() => void) | undefined

  constructor(serverKey: NodePublicKey) {
    this.serverKey = serverKey
  }

  async forwardFrames(frames: Uint8Array): Promise<void> {
    for (let at = 0; at < frames.length; ) {
      const length = new DataView(frames.buffer, frames.byteOffset + at + 1).getUint32(0)
      this.texts.push(new TextDecoder().decode(frames.slice(at + FORWARD_OVERHEAD, at + FRAME_HEADER_LENGTH + length)))
      at += FRAME_HEADER_LENGTH + length
    }
  }

  async sendPing(): Promise<void> {
    this.pings++
    if (this.answersPings) this.say({ type: 'pong', payload: new Uint8Array(8) })
  }

  say(message: ReceivedMessage): void {
    this.#messages.push(message)
    this.#wake?.()
  }

  async recv(): Promise<ReceivedMessage> {
    for (;;) {
      if (this.isClosed) throw new Error('closed')
      const message = this.#messages.shift()
      if (message !== undefined) return message
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.isClosed = true
    this.#wake?.()
  }
}

function setUp() {
  const clock = new FakeClock()
  const key = NodePrivateKey.generate().publicKey()
  const counters = new MeshLinkCounters()
  const dials: { open(serverKey?: NodePublicKey): FarEnd; fail(): void }[] = []
  const notHere: NodePublicKey[] = []
  const warnings: LogFields[] = []
  const dial = (_url: string, signal: AbortSignal) =>
    new Promise<LinkConnection>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')))
      dials.push({
        open: (serverKey = key) => {
          const end = new FarEnd(serverKey)
          resolve(end)
          return end
        },
        fail: () => reject(new Error('refused')),
      })
    })
  const log = { debug() {}, info() {}, error() {}, warn: (_: string, fields: LogFields = {}) => warnings.push(fields) }
  const relay = { id: relayIdOf(key), url: 'https://far.test/derp' }
  const link = new OnDemandLink(relay, { dial, counters, clock, log }, { onNotHere: peer => notHere.push(peer) })
  const send = (text: string) => sendTo(link, { source, destination, data: encodeUtf8(text) })
  const lastDial = () => dials.at(-1) as (typeof dials)[number]
  return { clock, counters, dials, lastDial, notHere, warnings, link, send, key }
}

test('a link is opened by its first packet, and loses no queued packet (P-319)', async () => {
  const { dials, lastDial, link, send, counters } = setUp()
  await settle()
  expect([dials.length, link.isUp]).toEqual([0, false])
  for (let n = 0; n < 32; n++) send(String(n))
  await settle()
  expect([dials.length, link.isUp]).toEqual([1, false])
  const far = lastDial().open()
  await settle()
  send('32')
  await settle()
  expect(link.isUp).toBe(true)
  expect(far.texts).toEqual(Array.from({ length: 33 }, (_, n) => String(n)))
  expect([counters.connects, counters.forwarded.packets, dials.length]).toEqual([1, 33, 1])
})

test('a link is closed after two minutes without a packet, and reopened by the next (P-319)', async () => {
  const { clock, dials, lastDial, link, send, counters, warnings } = setUp()
  send('first')
  await settle()
  const far = lastDial().open()
  far.answersPings = true
  await settle()
  clock.advance(LINK_IDLE_MS - 1)
  send('used')
  await settle()
  clock.advance(1)
  await settle()
  expect([link.isUp, far.isClosed]).toEqual([true, false])
  clock.advance(LINK_IDLE_MS)
  expect([link.isUp, far.isClosed]).toEqual([false, true])
  send('again')
  await settle()
  const next = lastDial().open()
  await settle()
  expect([dials.length, far.texts, next.texts]).toEqual([2, ['first', 'used'], ['again']])
  expect([counters.dropped.link_down.packets, warnings]).toEqual([0, []])
})

test('packets for a link that cannot be opened are dropped and counted; attempts back off (P-319)', async () => {
  const { clock, dials, lastDial, send, counters, warnings, link } = setUp()
  send('lost')
  for (let n = 0, pauseMs = LINK_RETRY_MIN_MS; n < 8; n++, pauseMs = Math.min(2 * pauseMs, LINK_RETRY_MAX_MS)) {
    await settle()
    expect(dials.length).toBe(n + 1)
    lastDial().fail()
    await settle()
    clock.advance(pauseMs - 1)
    send('dropped')
    clock.advance(1)
    expect(counters.dropped.link_down.packets).toBe(2 * n + 2)
    send('waits')
  }
  await settle()
  const far = lastDial().open()
  await settle()
  expect([far.texts, link.isUp, warnings.length]).toEqual([['waits'], true, 1])
  far.close()
  await settle()
  expect([link.isUp, warnings.length]).toEqual([false, 2])
})

test('a link that reaches the wrong relay is closed (P-319)', async () => {
  const { lastDial, link, send, counters, warnings } = setUp()
  send('lost')
  await settle()
  const far = lastDial().open(NodePrivateKey.generate().publicKey())
  await settle()
  expect([link.isUp, far.isClosed, counters.dropped.link_down.packets]).toEqual([false, true, 1])
  expect(warnings[0]?.['reason']).toMatch(/leads to relay .*see its -region-url/)
})

test('a link reports only the keys that the other relay does not have (P-311)', async () => {
  const { lastDial, send, notHere } = setUp()
  send('astray')
  await settle()
  const far = lastDial().open()
  await settle()
  far.say({ type: 'peerGone', peer: source, reason: PeerGoneReason.Disconnected })
  far.say({ type: 'peerGone', peer: destination, reason: PeerGoneReason.NotHere })
  await settle()
  expect(notHere).toEqual([destination])
})

test('a checked link goes down unless something arrives in time (P-316)', async () => {
  const { clock, lastDial, link, send, warnings, dials } = setUp()
  link.check()
  send('first')
  await settle()
  const far = lastDial().open()
  await settle()
  link.check()
  link.check()
  clock.advance(LINK_CHECK_MS - 1)
  far.say({ type: 'pong', payload: new Uint8Array(8) })
  await settle()
  clock.advance(1)
  expect([dials.length, far.pings, link.isUp, far.isClosed]).toEqual([1, 1, true, false])
  link.check()
  clock.advance(LINK_CHECK_MS - 1)
  expect([far.pings, link.isUp]).toEqual([2, true])
  clock.advance(1)
  await settle()
  expect([link.isUp, far.isClosed]).toEqual([false, true])
  expect(warnings).toEqual([expect.objectContaining({ code: 'ERR_DERP_PING_TIMEOUT' })])
  clock.advance(LINK_RETRY_MIN_MS)
  send('again')
  await settle()
  const next = lastDial().open()
  await settle()
  clock.advance(LINK_CHECK_MS)
  expect([link.isUp, next.texts]).toEqual([true, ['again']])
})

test('a link in use goes down if nothing arrives over it, and is opened again (P-319)', async () => {
  const { clock, lastDial, link, send, warnings } = setUp()
  send('first')
  await settle()
  const far = lastDial().open()
  await settle()
  far.answersPings = true
  for (let n = 0; n < 3; n++) {
    send(String(n))
    clock.advance(LINK_LOOK_MS)
    await settle()
  }
  expect([far.pings, link.isUp]).toEqual([3, true])
  far.answersPings = false
  clock.advance(LINK_LOOK_MS)
  expect(far.pings).toBe(3)
  send('lost')
  clock.advance(LINK_LOOK_MS)
  clock.advance(LINK_CHECK_MS)
  expect([far.pings, link.isUp, far.isClosed]).toEqual([4, false, true])
  expect(warnings).toEqual([expect.objectContaining({ code: 'ERR_DERP_PING_TIMEOUT' })])
})

test('the end of a link ends its check: the next connection is not affected (P-316, P-319)', async () => {
  const { clock, lastDial, link, send } = setUp()
  send('first')
  await settle()
  const far = lastDial().open()
  await settle()
  link.check()
  far.close()
  await settle()
  clock.advance(LINK_RETRY_MIN_MS)
  send('again')
  await settle()
  const next = lastDial().open()
  await settle()
  clock.advance(LINK_CHECK_MS - LINK_RETRY_MIN_MS)
  expect([link.isUp, next.isClosed]).toEqual([true, false])
  link.check()
  expect(next.pings).toBe(1)
  link.close()
  expect([link.isUp, clock.pendingTimers]).toEqual([false, 0])
})

test('a link bounds its queue while it is opened (P-319)', async () => {
  const { send, counters } = setUp()
  const large = 'x'.repeat(60_000)
  for (let n = 0; n < 200; n++) send(large)
  const { packets, bytes } = counters.dropped.queue_full
  expect(packets).toBeGreaterThan(0)
  expect(200 * large.length - bytes).toBeLessThan(9 << 20)
})

test('a closed link does not reopen, and counts packets as dropped (P-319)', async () => {
  const { dials, link, send, counters } = setUp()
  send('waits')
  await settle()
  link.close()
  await settle()
  send('dropped')
  await settle()
  expect([dials.length, counters.dropped.link_down.packets]).toEqual([1, 2])
  const other = setUp()
  other.send('first')
  await settle()
  const far = other.lastDial().open()
  await settle()
  other.link.close()
  expect([far.isClosed, other.link.isUp]).toEqual([true, false])
})

test('a link closed just after its connection has been opened closes the connection (P-319)', async () => {
  const { lastDial, link, send, counters, warnings, clock } = setUp()
  send('lost')
  await settle()
  const far = lastDial().open()
  link.close()
  await settle()
  expect([far.isClosed, far.texts, link.isUp]).toEqual([true, [], false])
  expect([counters.connects, counters.dropped.link_down.packets]).toEqual([0, 1])
  expect([warnings, clock.pendingTimers]).toEqual([[], 0])
})

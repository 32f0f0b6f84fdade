import { expect, test } from 'vitest'
import { FakeClock } from '../../../../test/support/fake-clock.ts'
import { settle } from '../../../../test/support/settle.ts'
import { NodePrivateKey } from '../../../keys/node-key.ts'
import type { NodePublicKey } from '../../../keys/public-key.ts'
import { copyBytes } from '../../../lib/bytes.ts'
import { DerpError } from '../../../lib/derp-error.ts'
import type { ReceivedMessage } from '../../../protocol/messages.ts'
import { Flow, type FlowClient, type FlowPlan } from './flow.ts'
import { Tally } from './tally.ts'

/** A relay under a fake clock: takes packets unless it is blocked, and delivers each after a delay unless it drops it. */
class FakeRelay {
  readonly clock = new FakeClock()
  delayMs = 5
  /** Sends wait until it is released. */
  blocked: PromiseWithResolvers<void> | undefined
  drops: (number: number) => boolean = () => false
  isBroken = false
  sizes: number[] = []
  readonly #keys = [NodePrivateKey.generate().publicKey(), NodePrivateKey.generate().publicKey()] as const
  readonly #arrived: ReceivedMessage[] = []
  #onArrival: PromiseWithResolvers<ReceivedMessage> | undefined

  get sender(): FlowClient {
    return {
      selfPublicKey: () => this.#keys[0],
      recv: () => new Promise(() => {}),
      send: (to, data) => this.#send(to, data),
    }
  }

  get receiver(): FlowClient {
    const recv = async () => {
      const message = this.#arrived.shift()
      if (message !== undefined) return message
      this.#onArrival = Promise.withResolvers()
      return this.#onArrival.promise
    }
    return { selfPublicKey: () => this.#keys[1], recv, send: async () => {} }
  }

  deliver(message: ReceivedMessage): void {
    if (this.#onArrival === undefined) this.#arrived.push(message)
    else this.#onArrival.resolve(message)
    this.#onArrival = undefined
  }

  close(): void {
    this.#onArrival?.reject(new DerpError('ERR_DERP_CLIENT_CLOSED', 'closed'))
  }

  async #send(to: NodePublicKey, data: Uint8Array): Promise<void> {
    expect(to).toBe(this.#keys[1])
    await this.blocked?.promise
    if (this.isBroken) throw new DerpError('ERR_DERP_CONN_CLOSED', 'broken')
    this.sizes.push(data.length)
    const message: ReceivedMessage = { type: 'receivedPacket', source: this.#keys[0], data: copyBytes(data) }
    if (!this.drops(this.sizes.length - 1)) this.clock.after(this.delayMs, () => this.deliver(message))
  }
}

const PLAN: FlowPlan = {
  run: 7,
  sizes: [16],
  ratePerSecond: 100,
  window: 4,
  pair: 0,
  pairs: 1,
  startMs: 0,
  measureMs: 0,
  endMs: 1_000,
}

function flowOf(relay: FakeRelay, plan: Partial<FlowPlan> = {}) {
  const tally = new Tally()
  const stop = new AbortController()
  const { clock, sender, receiver } = relay
  const flow = new Flow({ ...PLAN, ...plan }, { clock, sender, receiver, tally, stop: stop.signal })
  let isSent = false
  const sending = flow.send().then(() => {
    isSent = true
  })
  void flow.receive()
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed++) {
      clock.advance(1)
      await settle(1)
    }
  }
  return { flow, tally, stop, sending, pass, isSent: () => isSent }
}

test('sends at the rate, counts what was to be sent in the measurement, and takes the sizes in turn', async () => {
  const relay = new FakeRelay()
  const { tally, pass, sending, flow } = flowOf(relay, { sizes: [16, 40], measureMs: 500 })
  await pass(1_010)
  await sending
  expect(relay.sizes).toHaveLength(100)
  expect(relay.sizes.slice(0, 3)).toEqual([16, 40, 16])
  expect(tally.counts).toEqual({
    sent: 50,
    sentBytes: 1_400,
    received: 50,
    receivedBytes: 1_400,
    unsent: 0,
    failures: 0,
  })
  expect([tally.latency.quantileMs(0), tally.latency.quantileMs(1)]).toEqual([5.055, 5.055])
  expect(tally.lateness.quantileMs(1)).toBe(0)
  expect(flow.isWaiting).toBe(false)
})

test('what waits behind a relay that stalls is late by all of that time: no omission is coordinated', async () => {
  const relay = new FakeRelay()
  const { tally, pass, sending } = flowOf(relay)
  await pass(199)
  relay.blocked = Promise.withResolvers()
  await pass(600)
  relay.blocked.resolve()
  relay.blocked = undefined
  await pass(220)
  await sending
  // Of 100 packets, 60 were due while it stalled, the first of them for 600 ms.
  expect(tally.counts).toMatchObject({ sent: 100, received: 100, unsent: 0 })
  expect(tally.latency.quantileMs(1)).toBeCloseTo(604, -1)
  expect(tally.latency.quantileMs(0.7)).toBeCloseTo(305, -1)
  // All of them but the first, whose call was in time.
  expect(tally.lateness.quantileMs(1)).toBeCloseTo(595, -1)
})

test('what was due but could not be sent by the end is counted as unsent', async () => {
  const relay = new FakeRelay()
  const { tally, pass, sending } = flowOf(relay)
  await pass(499)
  relay.blocked = Promise.withResolvers()
  await pass(700)
  relay.blocked.resolve()
  await pass(10)
  await sending
  expect(tally.counts).toMatchObject({ sent: 51, received: 51, unsent: 49 })
})

test('a stop ends it, and what was not due then is not missing', async () => {
  const relay = new FakeRelay()
  const { tally, stop, sending, pass } = flowOf(relay)
  await pass(300)
  stop.abort()
  await sending
  expect(tally.counts).toMatchObject({ sent: 31, unsent: 0 })
})

test('without a rate, the window bounds what is in flight', async () => {
  const relay = new FakeRelay()
  const { tally, sending, pass } = flowOf(relay, { ratePerSecond: undefined })
  await pass(1)
  expect(relay.sizes).toHaveLength(4)
  await pass(1_010)
  await sending
  // Four in each 5 ms.
  expect(tally.counts.sent).toBe(800)
  expect(tally.counts.received).toBe(800)
})

test('a lost packet gives its place in the window back with the next arrival, or after a second', async () => {
  const relay = new FakeRelay()
  relay.drops = number => number === 1 || (number >= 8 && number < 12)
  const { tally, sending, pass } = flowOf(relay, { ratePerSecond: undefined, endMs: 2_000 })
  await pass(20)
  expect(relay.sizes).toHaveLength(12)
  await pass(900)
  expect(relay.sizes).toHaveLength(12)
  await pass(1_100)
  await sending
  expect(tally.counts.sent - tally.counts.received).toBe(5)
  expect(tally.counts.sent).toBeGreaterThan(700)
})

test('failed calls are counted and made less often; other packets are not', async () => {
  const relay = new FakeRelay()
  relay.isBroken = true
  const { tally, sending, pass } = flowOf(relay)
  const [source, stranger] = [relay.sender.selfPublicKey(), NodePrivateKey.generate().publicKey()]
  relay.deliver({ type: 'receivedPacket', source, data: new Uint8Array(15) })
  await settle(1)
  relay.deliver({ type: 'receivedPacket', source, data: new Uint8Array(16) })
  await settle(1)
  relay.deliver({ type: 'receivedPacket', source: stranger, data: new Uint8Array(16) })
  await pass(1_200)
  await sending
  expect(tally.counts).toMatchObject({ received: 0, failures: 11, sent: 11, unsent: 89 })
  relay.close()
})

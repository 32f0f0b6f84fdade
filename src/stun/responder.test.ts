import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { BRIDGE_REQUESTS, type BridgeSuspicion } from './bridge-watch.ts'
import { encodeBindingRequest, parseBindingResponse } from './message.ts'
import type { StunRefusalReason } from './request-counters.ts'
import { type DatagramSender, type DatagramSource, StunResponder, type StunResponderOptions } from './responder.ts'

const txId = new Uint8Array(12).fill(5)
const request = encodeBindingRequest(txId)

interface Sent {
  readonly message: Uint8Array
  readonly port: number
  readonly address: string
}

/** A socket that records what it sends and then reports `outcome`, or throws it. */
function createSender(outcome: Error | null = null, { queued = 0, throws = false } = {}) {
  const sent: Sent[] = []
  const sender: DatagramSender = {
    getSendQueueSize: () => queued,
    send(message, port, address, done) {
      if (throws && outcome !== null) throw outcome
      sent.push({ message, port, address })
      done(outcome)
    },
  }
  return { sent, sender }
}

function createResponder(options: StunResponderOptions = {}) {
  const errors: string[] = []
  const responder = new StunResponder({
    ...options,
    onError: (error, during) => errors.push(`${during}: ${error.message}`),
  })
  return { errors, responder }
}

const zero = { success: 0, notStun: 0, writeError: 0, readError: 0, ipv4: 0, ipv6: 0 }

test.each<[DatagramSource, 'ipv4' | 'ipv6', number, string]>([
  [{ family: 'IPv4', address: '1.2.3.4', port: 254 }, 'ipv4', 32, '01020304'],
  [{ family: 'IPv6', address: '::ffff:1.2.3.4', port: 254 }, 'ipv4', 44, '01020304'],
  [{ family: 'IPv6', address: '2001:db8::7', port: 9 }, 'ipv6', 44, '20010db8000000000000000000000007'],
  [{ family: 'IPv6', address: 'fe80::1%eth0', port: 9 }, 'ipv6', 44, 'fe800000000000000000000000000001'],
])('StunResponder answers %j and counts it as %s (P-180, P-181, P-183)', (source, family, length, address) => {
  const { sent, sender } = createSender()
  const { errors, responder } = createResponder()
  responder.receive(request, source, sender)
  const answer = sent[0] as Sent
  expect([sent.length, answer.port, answer.address]).toEqual([1, source.port, source.address])
  // The family on the wire is the socket's: mapped addresses take 16 bytes.
  expect(answer.message.length).toBe(length)
  const parsed = parseBindingResponse(answer.message)
  expect(parsed).toMatchObject({ ok: true, txId, address: { port: source.port } })
  expect(parsed.ok && Buffer.from(parsed.address.bytes).toString('hex')).toBe(address)
  expect(responder.counters).toEqual({ ...zero, success: 1, [family]: 1 })
  expect(errors).toEqual([])
})

test('StunResponder drops and counts anything but requests from nodes (P-180, P-183)', () => {
  const { sent, sender } = createSender()
  const { errors, responder } = createResponder()
  const source = { family: 'IPv4', address: '1.2.3.4', port: 1 } as const
  for (const datagram of [new Uint8Array(0), request.subarray(0, 39), request.subarray(0, 20), new Uint8Array(1500)]) {
    responder.receive(datagram, source, sender)
  }
  expect(responder.counters).toEqual({ ...zero, notStun: 4 })
  expect([sent, errors]).toEqual([[], []])
})

test.each<[string, Parameters<typeof createSender>, string]>([
  ['fails to send', [new Error('host down')], 'write: host down'],
  ['throws, as for port 0', [new Error('bad port'), { throws: true }], 'write: bad port'],
  ['holds too much unsent', [null, { queued: 2 ** 21 }], 'write: send STUN response: send queue is full'],
])('StunResponder counts and reports a socket that %s (P-183)', (_, parameters, message) => {
  const { sender } = createSender(...parameters)
  const { errors, responder } = createResponder()
  responder.receive(request, { family: 'IPv4', address: '1.2.3.4', port: 0 }, sender)
  expect(responder.counters).toEqual({ ...zero, ipv4: 1, writeError: 1 })
  expect(errors).toEqual([message])
})

test('StunResponder counts and reports socket failures (P-183)', () => {
  const { errors, responder } = createResponder()
  responder.readFailed(new Error('gone'))
  expect(responder.counters).toEqual({ ...zero, readError: 1 })
  expect(errors).toEqual(['read: gone'])
})

/** A request with the given attributes; the length in its header is correct unless given. */
function plainRequest(attributesHex = '', length = attributesHex.length / 2): Uint8Array {
  const head = `0001${length.toString(16).padStart(4, '0')}2112a442${Buffer.from(txId).toString('hex')}`
  return Uint8Array.from(Buffer.from(head + attributesHex, 'hex'))
}

const client: DatagramSource = { family: 'IPv4', address: '1.2.3.4', port: 254 }
const mapped: DatagramSource = { family: 'IPv6', address: '::ffff:1.2.3.4', port: 254 }
const client6: DatagramSource = { family: 'IPv6', address: '2001:db8::7', port: 9 }

test.each<[string, DatagramSource, number, 'ipv4' | 'ipv6']>([
  ['an IPv4 source', client, 32, 'ipv4'],
  ['an IPv4 source of a dual-stack socket, as IPv4', mapped, 32, 'ipv4'],
  ['an IPv6 source', client6, 44, 'ipv6'],
])('StunResponder with plain requests on answers %s and counts it (P-184, P-185)', (_, source, length, family) => {
  const { sent, sender } = createSender()
  const { responder } = createResponder({ plain: true })
  responder.receive(plainRequest(), source, sender)
  expect(sent.map(({ message }) => message.length)).toEqual([length])
  expect(parseBindingResponse((sent[0] as Sent).message)).toMatchObject({
    ok: true,
    address: { family: family === 'ipv4' ? 4 : 6, port: source.port },
  })
  expect(responder.counters).toEqual({ ...zero, success: 1, [family]: 1 })
  expect(responder.requests.plain).toEqual({ ipv4: 0, ipv6: 0, [family]: 1 })
  expect(responder.requests.fromNodes).toEqual({ ipv4: 0, ipv6: 0 })
})

test('StunResponder with plain requests enabled answers nodes with unchanged bytes (P-181, P-184)', () => {
  const answers = [false, true].map(plain => {
    const { sent, sender } = createSender()
    const { responder } = createResponder({ plain })
    for (const source of [client, mapped, client6]) responder.receive(request, source, sender)
    expect(responder.requests.fromNodes).toEqual({ ipv4: 2, ipv6: 1 })
    return sent
  })
  expect(answers[1]).toEqual(answers[0])
  expect(answers[0]).toHaveLength(3)
})

test('StunResponder rejects a comprehension-required attribute with a short error (P-184)', () => {
  const { sent, sender } = createSender()
  const { responder } = createResponder({ plain: true })
  responder.receive(plainRequest('00030004000000067f010000'), client, sender)
  const hex = sent.map(({ message }) => Buffer.from(message).toString('hex'))
  const id = Buffer.from(txId).toString('hex')
  expect(hex).toEqual([`011100102112a442${id}00090004${'00000414'}000a000400037f01`])
  expect(responder.counters).toEqual({ ...zero, notStun: 1 })
  expect(responder.requests.refused.unknownAttributes).toEqual({ ipv4: 1, ipv6: 0 })
})

test.each<[string, boolean, Uint8Array, StunRefusalReason]>([
  ['something else', false, new Uint8Array(40), 'notStun'],
  ['another method', false, Uint8Array.from([0, 3, ...plainRequest().subarray(2)]), 'notBindingRequest'],
  ['a cut attribute', false, plainRequest('8022000874'), 'malformedAttributes'],
  ['a plain request', false, plainRequest(), 'wrongSoftware'],
  ['a node without FINGERPRINT', false, plainRequest('802200087461696c6e6f6465'), 'noFingerprint'],
  ['a node with a wrong FINGERPRINT', false, Uint8Array.from([...request.subarray(0, 39), 0]), 'wrongFingerprint'],
  ['something else', true, new Uint8Array(40), 'notStun'],
  ['an indication', true, Uint8Array.from([0, 0x11, ...plainRequest().subarray(2)]), 'notBindingRequest'],
  ['a wrong length', true, plainRequest('', 4), 'wrongLength'],
  ['a cut attribute', true, plainRequest('8022000874'), 'malformedAttributes'],
  ['a wrong FINGERPRINT', true, plainRequest('8028000400000000'), 'wrongFingerprint'],
])('StunResponder drops %s and counts why, plain requests %j (P-180, P-184, P-185)', (_, plain, datagram, reason) => {
  const { sent, sender } = createSender()
  const { responder } = createResponder({ plain })
  for (const source of [client, mapped, client6]) responder.receive(datagram, source, sender)
  expect(sent).toEqual([])
  expect(responder.counters).toEqual({ ...zero, notStun: 3 })
  const refused = Object.entries(responder.requests.refused).filter(([, { ipv4, ipv6 }]) => ipv4 + ipv6 > 0)
  expect(refused).toEqual([[reason, { ipv4: 2, ipv6: 1 }]])
})

test('StunResponder limits responses per source and counts the rest (P-185, P-186)', () => {
  const clock = new FakeClock()
  const { sent, sender } = createSender()
  const { responder } = createResponder({ sourceLimit: { perSecond: 1, burst: 2 }, plain: true, clock })
  const ask = (source: DatagramSource, datagram = request) => {
    const before = sent.length
    responder.receive(datagram, source, sender)
    return sent.length > before
  }
  expect([ask(client), ask(mapped, plainRequest()), ask(client), ask(client)]).toEqual([true, true, false, false])
  // Neighbours in an IPv6 /64 are one source, other networks are different sources.
  expect([7, 8, 9].map(last => ask({ ...client6, address: `2001:db8::${last}` }))).toEqual([true, true, false])
  expect(ask({ ...client6, address: '2001:db8:0:1::7' })).toBe(true)
  // An error is a response too.
  expect(ask(client, plainRequest('00030000'))).toBe(false)
  clock.advance(1000)
  expect([ask(client), ask(client)]).toEqual([true, false])
  expect(responder.requests.refused.rateLimited).toEqual({ ipv4: 4, ipv6: 1 })
  expect(responder.counters).toEqual({ ...zero, success: 6, ipv4: 3, ipv6: 3 })
})

test('StunResponder reports once that a bridge hides all clients (P-187)', () => {
  const { sender } = createSender()
  const told: BridgeSuspicion[] = []
  const { responder } = createResponder({ onBridge: suspicion => told.push(suspicion) })
  const bridge: DatagramSource = { family: 'IPv6', address: '::ffff:172.17.0.1', port: 5 }
  for (let i = 1; i < BRIDGE_REQUESTS; i++) responder.receive(request, bridge, sender)
  expect(told).toEqual([])
  for (let i = 0; i < 3; i++) responder.receive(request, bridge, sender)
  expect(told).toEqual([{ address: '172.17.0.1', requests: BRIDGE_REQUESTS, fromBridge: BRIDGE_REQUESTS }])
})

import { expect, test } from 'vitest'
import { encodeBindingRequest, parseBindingResponse } from './message.ts'
import { type DatagramSender, type DatagramSource, StunResponder } from './responder.ts'

const txId = new Uint8Array(12).fill(5)
const request = encodeBindingRequest(txId)

interface Sent {
  readonly message: Uint8Array
  readonly port: number
  readonly address: string
}

/** A socket that notes what it sends and then says `outcome`, or throws it. */
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

function createResponder() {
  const errors: string[] = []
  const responder = new StunResponder((error, during) => errors.push(`${during}: ${error.message}`))
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
  // The family on the wire is that of the socket: mapped addresses take 16 bytes.
  expect(answer.message.length).toBe(length)
  const parsed = parseBindingResponse(answer.message)
  expect(parsed).toMatchObject({ ok: true, txId, address: { port: source.port } })
  expect(parsed.ok && Buffer.from(parsed.address.bytes).toString('hex')).toBe(address)
  expect(responder.counters).toEqual({ ...zero, success: 1, [family]: 1 })
  expect(errors).toEqual([])
})

test('StunResponder drops and counts what is no request from a node (P-180, P-183)', () => {
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
  ['holds too much unsent', [null, { queued: 2 ** 21 }], 'write: send STUN response: too much is waiting to be sent'],
])('StunResponder counts and reports a socket that %s (P-183)', (_, parameters, message) => {
  const { sender } = createSender(...parameters)
  const { errors, responder } = createResponder()
  responder.receive(request, { family: 'IPv4', address: '1.2.3.4', port: 0 }, sender)
  expect(responder.counters).toEqual({ ...zero, ipv4: 1, writeError: 1 })
  expect(errors).toEqual([message])
})

test('StunResponder counts and reports failures of the socket itself (P-183)', () => {
  const { errors, responder } = createResponder()
  responder.readFailed(new Error('gone'))
  expect(responder.counters).toEqual({ ...zero, readError: 1 })
  expect(errors).toEqual(['read: gone'])
})

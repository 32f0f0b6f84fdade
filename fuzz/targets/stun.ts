/** STUN: requests at the server, responses at the client. */

import { addressFrom16 } from '../../src/lib/address-port.ts'
import { encodeBindingRequest, encodeBindingResponse, parseBindingResponse } from '../../src/stun/message.ts'
import { createStunRequestCounters } from '../../src/stun/request-counters.ts'
import { createStunCounters, StunResponder } from '../../src/stun/responder.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { fromHex, readGolden } from '../../test/support/golden.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { hexOf, InputReader } from '../support/input-reader.ts'

/** Bytes that a response may be longer than its request: plain ones have 20, a response for IPv6 44. */
const MAX_GROWTH = 24
const IPV4 = { address: '192.0.2.7', port: 4_321, family: 'IPv4' } as const
const IPV6 = { address: '2001:db8::7', port: 4_321, family: 'IPv6' } as const
const MAPPED = { address: '::ffff:192.0.2.7', port: 4_321, family: 'IPv6' } as const

export const target: FuzzTarget = {
  about:
    'Any datagram at the server, with plain clients or without, and at the client: at most one response, little longer than the request, which names the source and repeats the transaction; every datagram is counted once; no error.',
  seeds: seeds(),
  run: input => {
    const reader = new InputReader(input)
    const plain = reader.below(2) === 1
    const source = reader.oneOf([IPV4, IPV6, MAPPED])
    const datagram = reader.rest()
    return [serve(datagram, plain, source), read(datagram)].join('\n')
  },
}

function serve(datagram: Uint8Array, plain: boolean, source: typeof IPV4 | typeof IPV6 | typeof MAPPED): string {
  const sent: Uint8Array[] = []
  const counts = { counters: createStunCounters(), requests: createStunRequestCounters() }
  const responder = new StunResponder({ plain, counts, clock: new FakeClock() })
  responder.receive(datagram, source, {
    send: (bytes, _port, _address, done) => {
      sent.push(bytes)
      done(null)
    },
    getSendQueueSize: () => 0,
  })
  const { ipv4, ipv6, success, notStun, writeError, readError } = counts.counters
  must(ipv4 + ipv6 + notStun === 1, 'every datagram is counted once')
  must(success === ipv4 + ipv6 && writeError + readError === 0, 'every accepted request has its response')
  const [response] = sent
  if (response === undefined) return 'no response'
  must(sent.length === 1, 'there is at most one response')
  must(response.length <= datagram.length + MAX_GROWTH, 'a response is little longer than its request')
  mustAgree('the transaction', hexOf(response.slice(8, 20)), hexOf(datagram.slice(8, 20)))
  const parsed = parseBindingResponse(response)
  if (parsed.ok) {
    mustAgree('the port', parsed.address.port, source.port)
    const { family, bytes } = parsed.address
    mustAgree(
      'the address',
      family === 4 ? bytes.join('.') : addressFrom16(bytes),
      source.address.replace('::ffff:', ''),
    )
  } else must(notStun === 1, 'what is no success is counted as refused')
  return hexOf(response)
}

function read(datagram: Uint8Array): string {
  const result = parseBindingResponse(datagram)
  if (!result.ok) return result.failure
  const { address, txId } = result
  must(address.bytes.length === (address.family === 4 ? 4 : 16), 'an address has the length of its family')
  must(address.port >= 0 && address.port <= 65_535, 'a port is a port')
  const again = parseBindingResponse(encodeBindingResponse(txId, address))
  mustAgree('a response encoded again', again, result)
  return `${hexOf(txId)} ${hexOf(address.bytes)} ${address.port}`
}

function seeds(): Uint8Array[] {
  const { requests, responses, parseRequests, parseResponses } = readGolden('stun')
  const datagrams = [...requests, ...responses, ...parseRequests, ...parseResponses].map(({ hex }) => fromHex(hex))
  datagrams.push(encodeBindingRequest(new Uint8Array(12).fill(5)))
  return datagrams.flatMap(bytes => [0, 1].map(plain => Uint8Array.from([plain, bytes.length % 3, ...bytes])))
}

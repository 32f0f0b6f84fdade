/** DERP over WebSocket: any bytes after the upgrade. */

import type { HttpService } from '../../src/listen/http-service.ts'
import { createHttpListener } from '../../src/listen/node/http-listener.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { hexOf, InputReader, splitBy } from '../support/input-reader.ts'
import { exchange } from '../support/loopback.ts'

const SIZES = 6
const REQUEST =
  'GET /derp HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: derp\r\n\r\n'
const MASK = [1, 2, 3, 4]
/** Codes of the closes that the relay sends, besides those of applications, which are sent back as they came. */
const CLOSES = [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011]
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

const received: Buffer[] = []
let whenClosed: (() => void) | undefined

const routes: HttpService = {
  answer: ({ remote }) => ({
    protocol: 'websocket',
    responseHead: '',
    remote,
    accept: conn =>
      conn.open({
        onData: bytes => received.push(Buffer.from(bytes)),
        onClose: () => whenClosed?.(),
      }),
  }),
}

let port: Promise<number> | undefined

async function listen(): Promise<number> {
  const listener = createHttpListener({ routes, acceptTimeoutMs: 10_000, clock: new FakeClock() })
  return (await listener.listen(0, '127.0.0.1')).port
}

export const target: FuzzTarget = {
  about:
    'Any bytes as WebSocket frames, in pieces, then the end: what reaches DERP is a beginning of the payloads that a naive reader finds, all of them if the stream has no fault; text is never taken; answers are whole frames with known close codes; the connection is reported closed.',
  seeds: [
    frame(OPCODE.binary, 'hello'),
    Buffer.concat([frame(OPCODE.binary, 'he', false), frame(OPCODE.ping, 'x'), frame(OPCODE.continuation, 'llo')]),
    frame(OPCODE.text, 'text'),
    Buffer.concat([frame(OPCODE.binary, ''), frame(OPCODE.binary, 'a'.repeat(200)), frame(OPCODE.close, '\x03\xe8')]),
    frame(OPCODE.pong, ''),
    Buffer.from('827f00000000ffffffff01020304', 'hex'),
  ].map(bytes => Buffer.concat([Buffer.from([3, 40, 2, 100, 1, 9]), bytes])),
  words: [
    frame(OPCODE.binary, 'a'),
    frame(OPCODE.binary, 'a', false),
    frame(OPCODE.continuation, 'b'),
    frame(OPCODE.close, ''),
    frame(OPCODE.ping, ''),
  ],
  maxBytes: 2_048,
  // Bun has its own WebSocket.
  isOfRuntime: true,
  run: async input => {
    const reader = new InputReader(input)
    const sizes = reader.take(SIZES)
    const bytes = Buffer.from(reader.rest())
    port ??= listen()
    received.length = 0
    const closed = new Promise<void>(resolve => {
      whenClosed = resolve
    })
    const answer = await exchange(await port, [Buffer.from(REQUEST), ...splitBy(sizes, bytes)])
    await closed
    const got = Buffer.concat(received)
    const { payload, isWhole } = naivePayload(bytes)
    must(payload.subarray(0, got.length).equals(got), 'DERP gets the payloads')
    if (isWhole) mustAgree('all payloads, and those received', hexOf(got), hexOf(payload))
    const codes = readAnswer(answer.received)
    return `${hexOf(got)} ${codes.join(' ')}`
  },
}

function frame(opcode: number, text: string, isLast = true): Buffer {
  const payload = Buffer.from(text, 'latin1')
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 0xff]
  const masked = payload.map((byte, at) => byte ^ (MASK[at % 4] as number))
  return Buffer.concat([Buffer.from([(isLast ? 0x80 : 0) | opcode, ...length, ...MASK]), masked])
}

interface Frame {
  readonly opcode: number
  readonly isLast: boolean
  readonly isMasked: boolean
  readonly hasReserved: boolean
  readonly payload: Buffer
  readonly next: number
}

/** The frame at `at`; undefined if it is not whole. */
function readFrame(bytes: Buffer, at: number): Frame | undefined {
  const [first, second] = [bytes[at], bytes[at + 1]]
  if (first === undefined || second === undefined) return undefined
  let from = at + 2
  let length = second & 0x7f
  const wide = { 126: 2, 127: 8 }[length] ?? 0
  if (bytes.length < from + wide) return undefined
  if (wide === 2) length = bytes.readUInt16BE(from)
  if (wide === 8) length = Number(bytes.readBigUInt64BE(from))
  from += wide
  const isMasked = (second & 0x80) !== 0
  const mask = isMasked ? bytes.subarray(from, from + 4) : Buffer.alloc(4)
  from += isMasked ? 4 : 0
  if (bytes.length < from + length) return undefined
  const payload = Buffer.from(bytes.subarray(from, from + length).map((byte, i) => byte ^ (mask[i % 4] as number)))
  return {
    opcode: first & 0x0f,
    isLast: (first & 0x80) !== 0,
    isMasked,
    hasReserved: (first & 0x70) !== 0,
    payload,
    next: from + length,
  }
}

/** Payloads of whole binary messages up to the first fault, and whether there is none. */
function naivePayload(bytes: Buffer): { readonly payload: Buffer; readonly isWhole: boolean } {
  const whole: Buffer[] = []
  let parts: Buffer[] | undefined
  const result = (isWhole: boolean) => ({ payload: Buffer.concat(whole), isWhole })
  for (let at = 0; at < bytes.length; ) {
    const read = readFrame(bytes, at)
    if (read === undefined) return result(false)
    const { opcode, isLast, isMasked, hasReserved, payload } = read
    if (!isMasked || hasReserved) return result(false)
    if (opcode >= OPCODE.close) {
      if (!isLast || payload.length > 125 || opcode > OPCODE.pong || opcode === OPCODE.close) return result(false)
    } else if (opcode === OPCODE.binary ? parts !== undefined : opcode !== OPCODE.continuation || parts === undefined) {
      return result(false)
    } else {
      parts = [...(parts ?? []), payload]
      if (isLast) {
        whole.push(...parts)
        parts = undefined
      }
    }
    at = read.next
  }
  return result(parts === undefined)
}

/** Codes of the closes in what the relay has sent. */
function readAnswer(bytes: Buffer): number[] {
  const end = bytes.indexOf('\r\n\r\n')
  must(bytes.toString('latin1', 0, 12) === 'HTTP/1.1 101', 'the upgrade is granted')
  const codes: number[] = []
  for (let at = end + 4; at < bytes.length; ) {
    const read = readFrame(bytes, at)
    must(read !== undefined && !read.isMasked && !read.hasReserved, 'the relay sends whole frames')
    if (read.opcode === OPCODE.close) codes.push(read.payload.length === 0 ? 1005 : read.payload.readUInt16BE(0))
    at = read.next
  }
  for (const code of codes)
    must(CLOSES.includes(code) || (code >= 3000 && code < 5000), `a close has a known code, not ${code}`)
  must(codes.length <= 1, 'there is one close')
  return codes
}

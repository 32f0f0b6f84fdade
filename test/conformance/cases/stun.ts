/** The STUN server. */

import { createSocket } from 'node:dgram'
import { setTimeout as delay } from 'node:timers/promises'
import { concatBytes } from '../../../src/lib/bytes.ts'
import { createTxId, encodeBindingRequest, parseBindingResponse } from '../../../src/stun/message.ts'
import { payload } from '../../support/payload.ts'
import type { ConformanceCase } from '../case.ts'
import { deepEqual, equal, ok } from '../check.ts'
import type { Target } from '../target.ts'

/** Milliseconds in which an answer on loopback must have come. */
const PATIENCE_MS = 300

interface Exchange {
  readonly answer: Uint8Array | undefined
  readonly port: number
}

/** Sends a datagram; resolves to the answer, or to none after a while. */
async function exchange(target: Target, datagram: Uint8Array, family: 4 | 6 = 4): Promise<Exchange> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
  const host = family === 4 ? '127.0.0.1' : '::1'
  try {
    const answer = new Promise<Uint8Array>(resolve => socket.once('message', resolve))
    await new Promise<void>(resolve => socket.send(datagram, target.options.stunPort, host, () => resolve()))
    const { port } = socket.address()
    return { answer: await Promise.race([answer, delay(PATIENCE_MS, undefined)]), port }
  } finally {
    socket.close()
  }
}

const ignores = (id: string, datagram: () => Uint8Array): ConformanceCase => ({
  id: `stun/ignores/${id}`,
  clauses: ['P-180'],
  needs: ['stun'],
  async run(target) {
    equal((await exchange(target, datagram())).answer, undefined)
  },
})

const changed = (at: number, change: (byte: number) => number): Uint8Array => {
  const request = encodeBindingRequest(createTxId())
  request[at] = change(request[at] ?? 0)
  return request
}

export const stunCases: readonly ConformanceCase[] = [
  {
    id: 'stun/answers-with-the-address-it-saw',
    clauses: ['P-180', 'P-181'],
    needs: ['stun'],
    async run(target) {
      const txId = createTxId()
      const { answer, port } = await exchange(target, encodeBindingRequest(txId))
      ok(answer !== undefined, 'an answer comes')
      const parsed = parseBindingResponse(answer ?? new Uint8Array(0))
      ok(parsed.ok, 'the answer can be read')
      if (!parsed.ok) return
      deepEqual(parsed.txId, txId)
      equal(parsed.address.port, port)
    },
  },
  {
    id: 'stun/answer-has-one-attribute-and-no-fingerprint',
    clauses: ['P-181'],
    needs: ['stun'],
    async run(target) {
      const { answer } = await exchange(target, encodeBindingRequest(createTxId()))
      ok(answer?.length === 32 || answer?.length === 44, `the answer has ${answer?.length} bytes`)
    },
  },
  ignores('nothing', () => new Uint8Array(0)),
  ignores('garbage', () => payload(48, 1)),
  ignores('another-cookie', () => changed(4, byte => byte ^ 1)),
  ignores('another-message-type', () => changed(1, () => 2)),
  ignores('another-software', () => changed(24, byte => byte ^ 1)),
  ignores('wrong-fingerprint', () => changed(39, byte => byte ^ 1)),
  ignores('cut-request', () => encodeBindingRequest(createTxId()).subarray(0, 36)),
  ignores('bytes-behind-the-fingerprint', () => concatBytes([encodeBindingRequest(createTxId()), new Uint8Array(4)])),
]

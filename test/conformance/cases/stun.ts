/** The STUN server. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { concatBytes } from '../../../src/lib/bytes.ts'
import { createTxId, encodeBindingRequest, parseBindingResponse } from '../../../src/stun/message.ts'
import { PATIENCE_MS } from '../../support/patience.ts'
import { payload } from '../../support/payload.ts'
import type { ConformanceCase } from '../case.ts'
import { deepEqual, equal, ok } from '../check.ts'
import type { Target } from '../target.ts'

interface Exchange {
  readonly answer: Uint8Array
  readonly port: number
}

/** Sends datagrams in sequence; resolves to the first response. */
async function exchange(target: Target, ...datagrams: readonly Uint8Array[]): Promise<Exchange> {
  const socket = createSocket('udp4')
  try {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
    for (const datagram of datagrams) {
      await new Promise<void>(resolve => socket.send(datagram, target.options.stunPort, '127.0.0.1', () => resolve()))
    }
    const { port } = socket.address()
    return { answer: (await answer)[0] as Uint8Array, port }
  } finally {
    socket.close()
  }
}

const ignores = (id: string, datagram: () => Uint8Array): ConformanceCase => ({
  id: `stun/ignores/${id}`,
  clauses: ['P-180'],
  needs: ['stun'],
  async run(target) {
    // Responses are in request order: the first is to the valid one.
    const txId = createTxId()
    const parsed = parseBindingResponse((await exchange(target, datagram(), encodeBindingRequest(txId))).answer)
    ok(parsed.ok, 'the answer can be read')
    if (parsed.ok) deepEqual(parsed.txId, txId)
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
      const parsed = parseBindingResponse(answer)
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
      ok(answer.length === 32 || answer.length === 44, `the answer has ${answer.length} bytes`)
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

/** Queues for a client that does not read. */

import { encodeClientToServer } from '../../../src/protocol/encode.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import { deepEqual, discoPacket, ok } from '../check.ts'

/** More than the buffers of a loopback connection; then more than the queues. */
const ROUNDS = [600, 200]
const PACKETS = ROUNDS.reduce((sum, count) => sum + count)
const DATA_BYTES = 16_000
/** Maximum of queued packets of each kind (P-100). */
const QUEUED = 32

type Kind = 'data' | 'disco'

/** The packet with number `n`. */
function numbered(kind: Kind, n: number): Uint8Array {
  const bytes = kind === 'disco' ? discoPacket() : new Uint8Array(DATA_BYTES)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 4, n)
  return bytes
}

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4)
}

/** Numbers of received packets by kind, up to the last. */
async function numbersTo(last: number, client: RawClient): Promise<Record<Kind, number[]>> {
  const numbers: Record<Kind, number[]> = { data: [], disco: [] }
  while (numbers.data.at(-1) !== last || numbers.disco.at(-1) !== last) {
    const { data } = await client.messageOf('receivedPacket')
    numbers[data.length === DATA_BYTES ? 'data' : 'disco'].push(numberOf(data))
  }
  return numbers
}

/** The numbers after the last gap. */
function afterLastGap(numbers: readonly number[]): readonly number[] {
  const gap = numbers.findLastIndex((n, at) => at > 0 && n !== (numbers[at - 1] ?? 0) + 1)
  return numbers.slice(Math.max(0, gap))
}

export const queueCases: readonly ConformanceCase[] = [
  {
    id: 'queue/holds-the-last-32-of-each-kind',
    clauses: ['P-100', 'P-053'],
    alone: true,
    async run(target) {
      const [a, b] = [await target.login(), await target.login()]
      b.conn.pause()
      const packet = (data: Uint8Array) => encodeClientToServer({ type: 'sendPacket', destination: b.publicKey, data })
      let n = 0
      for (const count of ROUNDS) {
        for (const end = n + count; n < end; n++) {
          a.sendBytes(Buffer.concat([packet(numbered('data', n)), packet(numbered('disco', n))]))
        }
        // Lets the buffers drain the queues.
        for (let turns = 0; turns < 20; turns++) await a.sync()
      }
      b.conn.resume()
      const numbers = await numbersTo(PACKETS - 1, b)
      const waited = Array.from({ length: QUEUED }, (_, at) => PACKETS - QUEUED + at)
      for (const kind of ['data', 'disco'] as const) {
        ok(numbers[kind].length < PACKETS, `${kind} packets were displaced`)
        deepEqual(afterLastGap(numbers[kind]), waited)
      }
    },
  },
]

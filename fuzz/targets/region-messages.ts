/** Messages between the relays of a region. */

import { decodeMessage } from '../../src/backplane/decode.ts'
import { encodeMessage } from '../../src/backplane/encode.ts'
import { KeyTimes } from '../../src/backplane/key-times.ts'
import type { InMessage, OutMessage } from '../../src/backplane/message.ts'
import { NodePublicKey } from '../../src/keys/node-key.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { hexOf } from '../support/input-reader.ts'

const key = NodePublicKey.fromBytes(new Uint8Array(32).fill(9))
const keys = [
  { key, time: 1_700_000_000_000 },
  { key, time: 2 ** 32 },
]

export const target: FuzzTarget = {
  about:
    'Any bytes as a message of another relay: never an error; what is read and written again reads the same; lists have no more entries than their bytes allow.',
  seeds: [
    { type: 'beat', url: 'https://derp1.example/derp', incarnation: 1, sequence: 2, time: 3 } as const,
    { type: 'here', sequence: 7, list: { number: 1, isLast: true }, keys } as const,
    { type: 'here', sequence: 7, list: undefined, keys } as const,
    { type: 'gone', sequence: 7, keys } as const,
    { type: 'find', id: 5, keys: [key, key] } as const,
    { type: 'found', id: 5, keys } as const,
    { type: 'superseded', key, time: 8 } as const,
    { type: 'resync' } as const,
    { type: 'reset' } as const,
    { type: 'listed', sequence: 4 } as const,
    { type: 'closePeer', peer: key } as const,
  ].map(message => encodeMessage(message)),
  run: input => {
    const message = decodeMessage(input)
    if (message === undefined) return 'ignored'
    const plain = plainOf(message)
    const again = decodeMessage(encodeMessage(outOf(message)))
    mustAgree('a message written again', again && plainOf(again), plain)
    return plain
  },
}

function entriesOf(list: KeyTimes): readonly { readonly key: NodePublicKey; readonly time: number }[] {
  must(list.length * 40 <= list.bytes.length, 'a list has no more entries than bytes')
  return Array.from({ length: list.length }, (_, at) => ({ key: list.keyOf(at), time: list.timeOf(at) }))
}

function outOf(message: InMessage): OutMessage {
  return 'keys' in message && message.keys instanceof KeyTimes
    ? ({ ...message, keys: entriesOf(message.keys) } as OutMessage)
    : (message as OutMessage)
}

/** As text; times beyond 2^53 are rounded, so they are written as they are rounded. */
function plainOf(message: InMessage): string {
  return JSON.stringify(outOf(message), (_name, value: unknown) =>
    value instanceof NodePublicKey ? hexOf(value.bytes) : value,
  )
}

/** Encodes messages between relays of a region (P-321). */

import { encodeUtf8, writeUint32 } from '../lib/bytes.ts'
import { KEY_LENGTH } from '../protocol/constants.ts'
import { type KeyTime, KeyTimes, writeTime } from './key-times.ts'
import type { Here, OutMessage } from './message.ts'

/** Type numbers on the wire; never reused. */
export const MESSAGE_TYPES = {
  beat: 1,
  here: 2,
  gone: 3,
  find: 4,
  found: 5,
  superseded: 6,
  resync: 7,
  reset: 8,
  closePeer: 9,
  listed: 10,
} as const

export const TIME_LENGTH: number = 8
/** Bytes of `here` before its keys: type, sequence, flags, part. */
export const HERE_HEAD: number = 1 + TIME_LENGTH + 1 + 4
/** Bytes of `gone` and `found` before their keys, and of `listed`. */
export const NUMBERED_HEAD: number = 1 + TIME_LENGTH
/** Bytes of `beat` before its URL. */
export const BEAT_HEAD: number = 1 + 3 * TIME_LENGTH + 2
export const SUPERSEDED_LENGTH: number = 1 + KEY_LENGTH + TIME_LENGTH

export const HereFlag = { List: 1, Last: 2 } as const

export function encodeMessage(message: OutMessage): Uint8Array {
  const bytes = new Uint8Array(lengthOf(message))
  bytes[0] = MESSAGE_TYPES[message.type]
  switch (message.type) {
    case 'beat': {
      const url = encodeUtf8(message.url)
      writeTime(bytes, 1, message.incarnation)
      writeTime(bytes, 1 + TIME_LENGTH, message.sequence)
      writeTime(bytes, 1 + 2 * TIME_LENGTH, message.time)
      bytes[BEAT_HEAD - 2] = url.length >> 8
      bytes[BEAT_HEAD - 1] = url.length
      bytes.set(url, BEAT_HEAD)
      break
    }
    case 'here':
      writeHere(bytes, message)
      break
    case 'gone':
      writeTime(bytes, 1, message.sequence)
      KeyTimes.write(bytes, NUMBERED_HEAD, message.keys)
      break
    case 'find':
      writeTime(bytes, 1, message.id)
      for (const [at, key] of message.keys.entries()) bytes.set(key.bytes, NUMBERED_HEAD + at * KEY_LENGTH)
      break
    case 'found':
      writeTime(bytes, 1, message.id)
      KeyTimes.write(bytes, NUMBERED_HEAD, message.keys)
      break
    case 'superseded':
      bytes.set(message.key.bytes, 1)
      writeTime(bytes, 1 + KEY_LENGTH, message.time)
      break
    case 'closePeer':
      bytes.set(message.peer.bytes, 1)
      break
    case 'listed':
      writeTime(bytes, 1, message.sequence)
      break
    case 'resync':
    case 'reset':
      break
  }
  return bytes
}

function lengthOf(message: OutMessage): number {
  switch (message.type) {
    case 'beat':
      return BEAT_HEAD + encodeUtf8(message.url).length
    case 'here':
      return HERE_HEAD + KeyTimes.byteLength(message.keys.length)
    case 'find':
      return NUMBERED_HEAD + message.keys.length * KEY_LENGTH
    case 'gone':
    case 'found':
      return NUMBERED_HEAD + KeyTimes.byteLength(message.keys.length)
    case 'superseded':
      return SUPERSEDED_LENGTH
    case 'closePeer':
      return 1 + KEY_LENGTH
    case 'listed':
      return NUMBERED_HEAD
    case 'resync':
    case 'reset':
      return 1
  }
}

function writeHere(bytes: Uint8Array, { sequence, list, keys }: Here<readonly KeyTime[]>): void {
  writeTime(bytes, 1, sequence)
  if (list !== undefined) {
    bytes[1 + TIME_LENGTH] = HereFlag.List | (list.isLast ? HereFlag.Last : 0)
    writeUint32(bytes, 2 + TIME_LENGTH, list.number)
  }
  KeyTimes.write(bytes, HERE_HEAD, keys)
}

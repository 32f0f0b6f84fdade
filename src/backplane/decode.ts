/** Decodes messages from other relays (P-321). Ignores messages of later versions. */

import { NodePublicKey } from '../keys/node-key.ts'
import { readUint32 } from '../lib/bytes.ts'
import { KEY_LENGTH } from '../protocol/constants.ts'
import {
  BEAT_HEAD,
  HERE_HEAD,
  HereFlag,
  MESSAGE_TYPES,
  NUMBERED_HEAD,
  SUPERSEDED_LENGTH,
  TIME_LENGTH,
} from './encode.ts'
import { KeyTimes, readTime } from './key-times.ts'
import type { Beat, Find, Here, InMessage, Superseded } from './message.ts'

const decoder = new TextDecoder()

/** The message; undefined if its type is unknown or its length wrong. Lists reference `bytes` without a copy. */
export function decodeMessage(bytes: Uint8Array): InMessage | undefined {
  switch (bytes[0] ?? 0) {
    case MESSAGE_TYPES.beat:
      return readBeat(bytes)
    case MESSAGE_TYPES.here:
      return readHere(bytes)
    case MESSAGE_TYPES.gone: {
      const keys = readKeyTimes(bytes, NUMBERED_HEAD)
      return keys && { type: 'gone', sequence: readTime(bytes, 1), keys }
    }
    case MESSAGE_TYPES.find:
      return readFind(bytes)
    case MESSAGE_TYPES.found: {
      const keys = readKeyTimes(bytes, NUMBERED_HEAD)
      return keys && { type: 'found', id: readTime(bytes, 1), keys }
    }
    case MESSAGE_TYPES.superseded:
      return bytes.length < SUPERSEDED_LENGTH ? undefined : readSuperseded(bytes)
    case MESSAGE_TYPES.resync:
      return { type: 'resync' }
    case MESSAGE_TYPES.reset:
      return { type: 'reset' }
    case MESSAGE_TYPES.listed:
      return bytes.length < NUMBERED_HEAD ? undefined : { type: 'listed', sequence: readTime(bytes, 1) }
    case MESSAGE_TYPES.closePeer:
      return bytes.length < 1 + KEY_LENGTH ? undefined : { type: 'closePeer', peer: readKey(bytes, 1) }
    default:
      return undefined
  }
}

function readBeat(bytes: Uint8Array): Beat | undefined {
  if (bytes.length < BEAT_HEAD) return undefined
  const urlLength = ((bytes[BEAT_HEAD - 2] as number) << 8) | (bytes[BEAT_HEAD - 1] as number)
  if (bytes.length < BEAT_HEAD + urlLength) return undefined
  return {
    type: 'beat',
    url: decoder.decode(bytes.subarray(BEAT_HEAD, BEAT_HEAD + urlLength)),
    incarnation: readTime(bytes, 1),
    sequence: readTime(bytes, 1 + TIME_LENGTH),
    time: readTime(bytes, 1 + 2 * TIME_LENGTH),
  }
}

function readHere(bytes: Uint8Array): Here<KeyTimes> | undefined {
  const keys = readKeyTimes(bytes, HERE_HEAD)
  if (keys === undefined) return undefined
  const flags = bytes[1 + TIME_LENGTH] as number
  const number = readUint32(bytes, 2 + TIME_LENGTH)
  const list = (flags & HereFlag.List) === 0 ? undefined : { number, isLast: (flags & HereFlag.Last) !== 0 }
  return { type: 'here', sequence: readTime(bytes, 1), list, keys }
}

function readFind(bytes: Uint8Array): Find | undefined {
  const length = bytes.length - NUMBERED_HEAD
  if (length < 0 || length % KEY_LENGTH !== 0) return undefined
  const keys = Array.from({ length: length / KEY_LENGTH }, (_, n) => readKey(bytes, NUMBERED_HEAD + n * KEY_LENGTH))
  return { type: 'find', id: readTime(bytes, 1), keys }
}

function readSuperseded(bytes: Uint8Array): Superseded {
  return { type: 'superseded', key: readKey(bytes, 1), time: readTime(bytes, 1 + KEY_LENGTH) }
}

function readKeyTimes(bytes: Uint8Array, head: number): KeyTimes | undefined {
  return bytes.length < head ? undefined : KeyTimes.read(bytes, head)
}

function readKey(bytes: Uint8Array, at: number): NodePublicKey {
  return NodePublicKey.fromBytes(bytes.subarray(at, at + KEY_LENGTH))
}

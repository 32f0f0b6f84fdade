/** A list of keys with login times, read without copying: most of its keys are not relevant here. */

import { NodePublicKey } from '../keys/node-key.ts'
import { readUint32, writeUint32 } from '../lib/bytes.ts'
import { KEY_LENGTH } from '../protocol/constants.ts'

const TIME_BYTES = 8
const ENTRY_BYTES: number = KEY_LENGTH + TIME_BYTES
const HIGH = 2 ** 32

/** A key and its login time. */
export interface KeyTime {
  readonly key: NodePublicKey
  readonly time: number
}

/** Reads an 8-byte time; the caller checks the bounds. */
export function readTime(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) * HIGH + readUint32(bytes, at + 4)
}

/** Writes an 8-byte time; the caller checks the bounds. */
export function writeTime(bytes: Uint8Array, at: number, time: number): void {
  writeUint32(bytes, at, Math.floor(time / HIGH))
  writeUint32(bytes, at + 4, time % HIGH)
}

export class KeyTimes {
  /** Contains the keys, each at its {@link offsetOf}. */
  readonly bytes: Uint8Array
  readonly #start: number
  readonly length: number

  /** Reads `bytes` from `start`; undefined if they are not a whole number of entries. */
  static read(bytes: Uint8Array, start: number): KeyTimes | undefined {
    return (bytes.length - start) % ENTRY_BYTES === 0 ? new KeyTimes(bytes, start) : undefined
  }

  static byteLength(entries: number): number {
    return entries * ENTRY_BYTES
  }

  static write(bytes: Uint8Array, start: number, entries: readonly KeyTime[]): void {
    let at = start
    for (const { key, time } of entries) {
      bytes.set(key.bytes, at)
      writeTime(bytes, at + KEY_LENGTH, time)
      at += ENTRY_BYTES
    }
  }

  private constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes
    this.#start = start
    this.length = (bytes.length - start) / ENTRY_BYTES
  }

  offsetOf(index: number): number {
    return this.#start + index * ENTRY_BYTES
  }

  timeOf(index: number): number {
    return readTime(this.bytes, this.offsetOf(index) + KEY_LENGTH)
  }

  /** A copy of the key. */
  keyOf(index: number): NodePublicKey {
    const at = this.offsetOf(index)
    return NodePublicKey.fromBytes(this.bytes.subarray(at, at + KEY_LENGTH))
  }
}

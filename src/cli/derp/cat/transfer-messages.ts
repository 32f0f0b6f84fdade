/**
 * Messages between two `derp cat` processes, besides data. Pure.
 *
 * A transfer is an offer with its size, data, and the SHA-256 of the data; the receiver answers with a verdict. Every
 * packet is acknowledged by an empty one. Data is told from messages by the size in the offer, so it may contain
 * anything.
 */

import { concatBytes, decodeUtf8, EMPTY_BYTES, encodeUtf8, equalBytes } from '../../../lib/bytes.ts'

/** Begins each message; random, so that no text or file begins with it by accident. */
const MARK = Uint8Array.of(
  0x9c,
  0x3f,
  0xe0,
  0x1b,
  0xe7,
  0xa4,
  0x4c,
  0x56,
  0xb2,
  0xd1,
  0xf3,
  0xa8,
  0x0f,
  0x5d,
  0x6e,
  0x71,
)

/** Acknowledges one packet; data packets are never empty. */
export const ACKNOWLEDGEMENT: Uint8Array = EMPTY_BYTES

export type TransferMessage =
  /** A file of this many bytes follows. */
  | { readonly kind: 'offer'; readonly bytes: number }
  /** All data was sent, and had this SHA-256 in hex. */
  | { readonly kind: 'end'; readonly sha256: string }
  /** The receiver's answer: to `end`, or earlier if it gives up. Empty if all is well. */
  | { readonly kind: 'verdict'; readonly problem: string }

export function encodeTransfer(message: TransferMessage): Uint8Array {
  return concatBytes([MARK, encodeUtf8(JSON.stringify(message))])
}

/** Undefined if it is data. */
export function decodeTransfer(packet: Uint8Array): TransferMessage | undefined {
  if (!equalBytes(packet.subarray(0, MARK.length), MARK)) return undefined
  try {
    return messageOf(JSON.parse(decodeUtf8(packet.subarray(MARK.length))))
  } catch {
    return undefined
  }
}

function messageOf(value: unknown): TransferMessage | undefined {
  const { kind, bytes, sha256, problem } = value as Record<string, unknown>
  if (kind === 'offer' && typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0) return { kind, bytes }
  if (kind === 'end' && typeof sha256 === 'string') return { kind, sha256 }
  if (kind === 'verdict' && typeof problem === 'string') return { kind, problem }
  return undefined
}

/** Reads the vectors of test/golden, captured from the Go code (see test/interop/README.md). */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { payload } from './payload.ts'

/** Vectors by file. */
export interface GoldenFiles {
  readonly box: { readonly pairs: readonly BoxPair[]; readonly refused: readonly RefusedBox[] }
  readonly frames: {
    readonly clientFrames: readonly (GoldenBytes & { readonly name: string; readonly call: GoldenCall })[]
    readonly serverFrames: readonly GoldenRead[]
    readonly clientReads: readonly GoldenRead[]
  }
  readonly keys: {
    readonly pairs: readonly KeyPair[]
    readonly public: readonly PublicKeyText[]
    readonly parse: readonly ParsedKey[]
  }
  readonly login: { readonly logins: readonly GoldenLogin[] }
  readonly stun: {
    readonly requests: readonly { readonly txid: string; readonly hex: string }[]
    readonly responses: readonly {
      readonly txid: string
      readonly ipPort: string
      readonly hex: string
      readonly readsAs: string
    }[]
    readonly parseRequests: readonly GoldenParse[]
    readonly parseResponses: readonly (GoldenParse & { readonly ipPort?: string })[]
  }
}

/** Bytes as hex; long ones as start and digest. */
export type GoldenBytes =
  | { readonly hex: string; readonly length?: undefined }
  | { readonly hex?: undefined; readonly length: number; readonly headHex: string; readonly sha256: string }

/** What the stock client sent. */
export interface GoldenCall extends GoldenPayload {
  readonly op: 'send' | 'forward' | 'ping' | 'pong' | 'notePreferred' | 'watch' | 'closePeer'
  readonly from?: string
  readonly to?: string
  readonly preferred?: boolean
}

interface GoldenPayload {
  readonly dataHex?: string
  readonly size?: number
  readonly seed?: number
}

/** Bytes that a stock client has read, and the result. */
export type GoldenRead = GoldenBytes & {
  readonly name: string
  readonly expect: readonly Readonly<Record<string, string | number>>[]
  readonly error?: string
  readonly readsServerKey?: boolean
  readonly privateKey?: string
  readonly serverPublicKey?: string
}

interface BoxPair {
  readonly name: string
  readonly privateKey: string
  readonly publicKey: string
  readonly peerPublicKey: string
  readonly sharedHex: string
  readonly precomputedHex: string
  readonly boxes: readonly { readonly nonceHex: string; readonly plainHex: string; readonly wireHex: string }[]
}

interface RefusedBox {
  readonly name: string
  readonly privateKey: string
  readonly peerPublicKey: string
  readonly wireHex: string
}

interface PublicKeyText {
  readonly text: string
  readonly hex: string
  readonly short: string
}

interface KeyPair {
  readonly name: string
  readonly privateKey: string
  readonly privateHex: string
  readonly public: PublicKeyText
}

interface ParsedKey {
  readonly form: 'nodePublic' | 'nodePublicHex' | 'nodePrivate' | 'nodePrivateHex'
  readonly name: string
  readonly text: string
  readonly hex?: string
}

interface GoldenLogin {
  readonly name: string
  readonly serverPrivateKey: string
  readonly serverPublicKey: string
  readonly clientPrivateKey: string
  readonly clientPublicKey: string
  readonly serverMeshKey: string
  readonly serverKeyHex: string
  readonly clientInfoHex: string
  readonly clientInfoJSON: string
  readonly clientNonceHex: string
  readonly serverInfoHex: string
  readonly serverInfoJSON: string
  readonly serverNonceHex: string
  /** PeerPresent flags from the stock server: 2 for a mesh peer, 4 for a prober. */
  readonly presentFlags: number
}

interface GoldenParse {
  readonly name: string
  readonly hex: string
  /** Absent if the stock parser failed. */
  readonly txid?: string
}

/** The vectors of `test/golden/NAME.json`. */
export function readGolden<N extends keyof GoldenFiles>(name: N): GoldenFiles[N] {
  return JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'))
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The payload of the call. */
export function payloadOf(call: GoldenPayload): Uint8Array {
  return call.dataHex === undefined ? payload(call.size ?? 0, call.seed ?? 0) : fromHex(call.dataHex)
}

/** Formats bytes like the vector, for comparison. */
export function shownAs(golden: GoldenBytes, bytes: Uint8Array): GoldenBytes {
  if (golden.hex !== undefined) return { hex: hex(bytes) }
  return { length: bytes.length, headHex: hex(bytes.subarray(0, golden.headHex.length / 2)), sha256: sha256(bytes) }
}

/** The part of a vector that {@link shownAs} returns. */
export function bytesPart(golden: GoldenBytes): GoldenBytes {
  if (golden.hex !== undefined) return { hex: golden.hex }
  return { length: golden.length, headHex: golden.headHex, sha256: golden.sha256 }
}

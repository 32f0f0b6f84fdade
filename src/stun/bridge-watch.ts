/**
 * Detects a server that sees a container bridge instead of its clients (P-187).
 *
 * Behind such a bridge every client reads the bridge's address as its own and no direct connection ever works, although
 * the server looks healthy otherwise. A few other sources prove nothing: neighbours on the bridge reach the server too.
 */

import type { StunAddress } from './mapped-address.ts'

/** What most requests come from. */
export interface BridgeSuspicion {
  /** The bridge's address, as last seen. */
  readonly address: string
  /** Requests that were judged. */
  readonly requests: number
  /** Judged requests that came from gateways of the bridge's network. */
  readonly fromBridge: number
}

/** Requests that are judged together. */
export const BRIDGE_REQUESTS = 100
/** The share of them, from one network, that makes a bridge likely. */
const BRIDGE_SHARE = 0.9
/** Milliseconds until requests are judged again, and until the same is reported again. */
export const JUDGE_AGAIN_MS = 600_000
export const TELL_AGAIN_MS = 86_400_000

/** Requests from gateways of one private network. */
interface Gateway {
  requests: number
  address: string
}

/** Judges the sources of requests, for as long as the server runs. */
export class BridgeWatch {
  readonly #tell: (suspicion: BridgeSuspicion) => void
  readonly #minRequests: number
  /** By network: there are no more than 273 private ones of their size. */
  readonly #gateways = new Map<number, Gateway>()
  #requests = 0
  #judgeAtMs = Number.NEGATIVE_INFINITY
  #tellAtMs = Number.NEGATIVE_INFINITY

  constructor(tell: (suspicion: BridgeSuspicion) => void, minRequests: number = BRIDGE_REQUESTS) {
    this.#tell = tell
    this.#minRequests = minRequests
  }

  /** Notes the source of a request; IPv4-mapped addresses arrive as IPv4. */
  see({ family, bytes }: StunAddress, nowMs: number): void {
    if (isLoopback(family, bytes)) return
    this.#requests++
    if (family === 4 && isPrivate(bytes) && bytes[3] === 1) this.#noteGateway(bytes)
    if (this.#requests < this.#minRequests || nowMs < this.#judgeAtMs) return
    this.#judge(nowMs)
    this.#judgeAtMs = nowMs + JUDGE_AGAIN_MS
    this.#requests = 0
    this.#gateways.clear()
  }

  #noteGateway(bytes: Uint8Array): void {
    const network = networkOf(bytes)
    const gateway = this.#gateways.get(network)
    const address = bytes.join('.')
    if (gateway === undefined) this.#gateways.set(network, { requests: 1, address })
    else {
      gateway.requests++
      gateway.address = address
    }
  }

  #judge(nowMs: number): void {
    if (nowMs < this.#tellAtMs) return
    for (const { requests: fromBridge, address } of this.#gateways.values()) {
      if (fromBridge < BRIDGE_SHARE * this.#requests) continue
      this.#tellAtMs = nowMs + TELL_AGAIN_MS
      this.#tell({ address, requests: this.#requests, fromBridge })
    }
  }
}

/** The first 16 bits: the size of container networks. */
function networkOf(bytes: Uint8Array): number {
  return ((bytes[0] as number) << 8) | (bytes[1] as number)
}

/** The blocks used for container networks (RFC 1918). */
function isPrivate(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes
  return first === 10 || (first === 172 && (second & 0xf0) === 16) || (first === 192 && second === 168)
}

/** Health checks come from the machine itself. */
function isLoopback(family: 4 | 6, bytes: Uint8Array): boolean {
  if (family === 4) return bytes[0] === 127
  return bytes.subarray(0, 15).every(byte => byte === 0) && bytes[15] === 1
}

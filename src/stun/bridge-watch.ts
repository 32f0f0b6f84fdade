/**
 * Detects a server that sees a container bridge instead of its clients (P-187).
 *
 * Behind such a bridge every client reads the bridge's address as its own and no direct connection ever works, although
 * the server looks healthy otherwise.
 */

import type { StunAddress } from './mapped-address.ts'

/** The report, made once. */
export interface BridgeSuspicion {
  /** The bridge's address, as last seen. */
  readonly address: string
  /** Number of requests, all of them from it. */
  readonly requests: number
}

/** Requests after which a relay on the Internet has seen other sources. */
export const BRIDGE_REQUESTS = 100

/** Checks the sources of requests until it is sure. */
export class BridgeWatch {
  readonly #tell: (suspicion: BridgeSuspicion) => void
  readonly #afterRequests: number
  #network: number | undefined
  #requests = 0
  #sure = false

  constructor(tell: (suspicion: BridgeSuspicion) => void, afterRequests: number = BRIDGE_REQUESTS) {
    this.#tell = tell
    this.#afterRequests = afterRequests
  }

  /** Notes the source of a request; IPv4-mapped addresses arrive as IPv4. */
  see({ family, bytes }: StunAddress): void {
    if (this.#sure || isLoopback(family, bytes)) return
    const network = family === 4 && isPrivate(bytes) && bytes[3] === 1 ? networkOf(bytes) : undefined
    this.#network ??= network
    if (network === undefined || network !== this.#network) {
      this.#sure = true
      return
    }
    this.#requests++
    if (this.#requests < this.#afterRequests) return
    this.#sure = true
    this.#tell({ address: bytes.join('.'), requests: this.#requests })
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

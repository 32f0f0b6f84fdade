/**
 * Answers datagrams, one at a time; knows sockets only as something that sends (P-180, P-181, P-183 to P-187).
 *
 * What is not a request to answer is counted and dropped: an answer would help a flood along.
 */

import { addressTo16 } from '../lib/address-port.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { type SourceLimit, SourceLimiter } from '../lib/source-limiter.ts'
import { type BridgeSuspicion, BridgeWatch } from './bridge-watch.ts'
import { type StunAddress, unmapAddress } from './mapped-address.ts'
import { encodeBindingResponse, parseBindingRequest } from './message.ts'
import { encodeUnknownAttributes, parsePlainRequest } from './plain-request.ts'
import {
  createStunRequestCounters,
  type FamilyCounts,
  type StunRefusalReason,
  type StunRequestCounters,
} from './request-counters.ts'
import { StunError } from './stun-error.ts'

/** Counts since the start; names and meaning as in the original's metrics (P-183). */
export interface StunCounters {
  /** Responses sent. */
  success: number
  /** Datagrams that were no STUN, or no request to answer. */
  notStun: number
  /** Responses that could not be sent. */
  writeError: number
  /** Failures of the socket while waiting for datagrams. */
  readError: number
  /** Requests accepted from IPv4 addresses, IPv4-mapped ones too. */
  ipv4: number
  /** Requests accepted from other addresses. */
  ipv6: number
}

/** Where a datagram came from, as `node:dgram` tells it. */
export interface DatagramSource {
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
}

/** What is needed of a UDP socket. `send` may throw, as `node:dgram` does for port 0. */
export interface DatagramSender {
  send(message: Uint8Array, port: number, address: string, done: (error: Error | null) => void): void
  /** Bytes accepted and not yet with the operating system. */
  getSendQueueSize(): number
}

/** Where failures go, besides the counters. */
export type StunErrorListener = (error: Error, during: 'read' | 'write') => void

/** What a responder may do beyond the original; all of it is off by default. */
export interface StunResponderOptions {
  /** Answer requests of any STUN client, not of nodes only (P-184). */
  readonly plain?: boolean | undefined
  /** Most answers for one IPv4 address, or one IPv6 network of 64 bits (P-186). */
  readonly sourceLimit?: SourceLimit | undefined
  /** Told once when every request comes from a container bridge (P-187). */
  readonly onBridge?: ((suspicion: BridgeSuspicion) => void) | undefined
  /** Told of failures to read and to send. */
  readonly onError?: StunErrorListener | undefined
  /** For tests. */
  readonly clock?: Clock | undefined
}

// Enough for bursts; what waits longer than this takes to drain has no use for a client that measures time.
const MAX_QUEUED_BYTES = 1 << 20

/** One datagram in, at most one out. */
export class StunResponder {
  readonly counters: StunCounters = { success: 0, notStun: 0, writeError: 0, readError: 0, ipv4: 0, ipv6: 0 }
  readonly requests: StunRequestCounters = createStunRequestCounters()
  readonly #plain: boolean
  readonly #limiter: SourceLimiter | undefined
  readonly #bridgeWatch: BridgeWatch | undefined
  readonly #onError: StunErrorListener
  readonly #clock: Clock

  /** @throws RangeError for a limit that makes no sense. */
  constructor(options: StunResponderOptions = {}) {
    this.#plain = options.plain ?? false
    this.#limiter = options.sourceLimit && new SourceLimiter(options.sourceLimit)
    this.#bridgeWatch = options.onBridge && new BridgeWatch(options.onBridge)
    this.#onError = options.onError ?? (() => {})
    this.#clock = options.clock ?? systemClock
  }

  /** Handles a datagram; the bytes are not kept. */
  receive(datagram: Uint8Array, source: DatagramSource, sender: DatagramSender): void {
    const request = parseBindingRequest(datagram)
    if (request.ok) {
      const address = sourceAddress(source)
      const accepted = this.#accept(this.requests.fromNodes, address, source)
      if (accepted) this.#send(encodeBindingResponse(request.txId, address), source, sender)
    } else if (this.#plain) {
      this.#receivePlain(datagram, source, sender)
    } else {
      this.#refuse(request.failure, source)
    }
  }

  #receivePlain(datagram: Uint8Array, source: DatagramSource, sender: DatagramSender): void {
    const request = parsePlainRequest(datagram)
    if (request.ok) {
      // A client that does not know relays takes a mapped address for an IPv6 one; and the answer gets shorter.
      const address = unmapAddress(sourceAddress(source))
      const accepted = this.#accept(this.requests.plain, address, source)
      if (accepted) this.#send(encodeBindingResponse(request.txId, address), source, sender)
      return
    }
    if (request.failure !== 'unknownAttributes') {
      this.#refuse(request.failure, source)
    } else if (this.#mayAnswer(unmapAddress(sourceAddress(source)), source)) {
      this.#refuse(request.failure, source)
      this.#send(encodeUnknownAttributes(request.txId, request.unknown), source, sender, false)
    }
  }

  /** Counts a request that can be answered; reports whether it may be. */
  #accept(counts: FamilyCounts, address: StunAddress, source: DatagramSource): boolean {
    const unmapped = unmapAddress(address)
    this.#bridgeWatch?.see(unmapped)
    if (!this.#mayAnswer(unmapped, source)) return false
    const family = unmapped.family === 4 ? 'ipv4' : 'ipv6'
    this.counters[family]++
    counts[family]++
    return true
  }

  #mayAnswer({ family, bytes }: StunAddress, source: DatagramSource): boolean {
    if (this.#limiter === undefined) return true
    // Who has one IPv6 address has the network around it.
    const key = String.fromCharCode(...(family === 4 ? bytes : bytes.subarray(0, 8)))
    if (this.#limiter.tryTake(key, this.#clock.now())) return true
    this.requests.refused.rateLimited[familyOf(source)]++
    return false
  }

  #refuse(reason: StunRefusalReason, source: DatagramSource): void {
    this.counters.notStun++
    this.requests.refused[reason][familyOf(source)]++
  }

  /** Counts and reports a failure of the socket itself. */
  readFailed(error: Error): void {
    this.counters.readError++
    this.#onError(error, 'read')
  }

  #send(response: Uint8Array, { address, port }: DatagramSource, sender: DatagramSender, isSuccess = true): void {
    if (sender.getSendQueueSize() > MAX_QUEUED_BYTES) {
      this.#writeFailed(new StunError('ERR_DERP_STUN_BACKLOG', 'send STUN response: too much is waiting to be sent'))
      return
    }
    try {
      sender.send(response, port, address, error => {
        if (error !== null) this.#writeFailed(error)
        else if (isSuccess) this.counters.success++
      })
    } catch (error) {
      this.#writeFailed(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #writeFailed(error: Error): void {
    this.counters.writeError++
    this.#onError(error, 'write')
  }
}

/** Without reading the whole address, which need not be done for what is dropped. */
function familyOf({ address, family }: DatagramSource): keyof FamilyCounts {
  return family === 'IPv4' || address.startsWith('::ffff:') ? 'ipv4' : 'ipv6'
}

// A dual-stack socket tells IPv4 sources as IPv4-mapped IPv6, and the response says so too: 16 bytes, family IPv6.
function sourceAddress({ address, port, family }: DatagramSource): StunAddress {
  const bytes = addressTo16(address)
  return family === 'IPv4' ? { family: 4, bytes: bytes.subarray(12), port } : { family: 6, bytes, port }
}

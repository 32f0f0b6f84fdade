/**
 * Answers single datagrams; knows sockets only as something that sends (P-180, P-181, P-183 to P-187).
 *
 * Anything that is not a request to answer is counted and dropped: a reply would only amplify a flood.
 */

import { addressTo16 } from '../lib/address-port.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { type SourceLimit, SourceLimiter } from '../lib/rate/source-limiter.ts'
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

/** Counts since start; names and meaning as in the original's metrics. */
export interface StunCounters {
  /** Responses sent. */
  success: number
  /** Datagrams that were not STUN, or not a request to answer. */
  notStun: number
  /** Responses that could not be sent. */
  writeError: number
  /** Socket failures while waiting for datagrams. */
  readError: number
  /** Accepted requests from IPv4 addresses, IPv4-mapped ones included. */
  ipv4: number
  /** Accepted requests from other addresses. */
  ipv6: number
}

/** All zero. */
export function createStunCounters(): StunCounters {
  return { success: 0, notStun: 0, writeError: 0, readError: 0, ipv4: 0, ipv6: 0 }
}

/** The source of a datagram, as given by `node:dgram`. */
export interface DatagramSource {
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
}

/** The required part of a UDP socket. `send` may throw, as `node:dgram` does for port 0. */
export interface DatagramSender {
  send(message: Uint8Array, port: number, address: string, done: (error: Error | null) => void): void
  /** Bytes accepted but not yet passed to the operating system. */
  getSendQueueSize(): number
}

/** Receives failures, besides the counters. */
export type StunErrorListener = (error: Error, during: 'read' | 'write') => void

/** Features beyond the original, all off by default. */
export interface StunResponderOptions {
  /** Whether to answer requests of any STUN client, not only those of nodes. Default: false. */
  readonly plain?: boolean | undefined
  /** Rate limit of responses per IPv4 address or IPv6 /64. Default: none. */
  readonly sourceLimit?: SourceLimit | undefined
  /** Called, at most once a day, while nearly all requests come from a container bridge. */
  readonly onBridge?: ((suspicion: BridgeSuspicion) => void) | undefined
  /** Called on failures to read and to send; they are counted as well, and the server keeps running. */
  readonly onError?: StunErrorListener | undefined
  /** Objects that count, such as ones that threads share. Default: objects of its own. */
  readonly counts?: { readonly counters: StunCounters; readonly requests: StunRequestCounters } | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock | undefined
}

// Enough for bursts; a response delayed longer than it takes to drain this is useless for measuring time.
const MAX_QUEUED_BYTES = 1 << 20

/** One datagram in, at most one out. */
export class StunResponder {
  readonly counters: StunCounters
  readonly requests: StunRequestCounters
  readonly #plain: boolean
  readonly #limiter: SourceLimiter | undefined
  readonly #bridgeWatch: BridgeWatch | undefined
  readonly #onError: StunErrorListener
  readonly #clock: Clock

  /** @throws RangeError for an invalid limit. */
  constructor(options: StunResponderOptions = {}) {
    this.counters = options.counts?.counters ?? createStunCounters()
    this.requests = options.counts?.requests ?? createStunRequestCounters()
    this.#plain = options.plain ?? false
    this.#limiter = options.sourceLimit && new SourceLimiter(options.sourceLimit)
    this.#bridgeWatch = options.onBridge && new BridgeWatch(options.onBridge)
    this.#onError = options.onError ?? (() => {})
    this.#clock = options.clock ?? systemClock
  }

  /** Handles a datagram; the bytes are not retained. */
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
      // Ordinary clients would take a mapped address for IPv6; unmapping also makes the response shorter.
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

  /** Counts a request that can be answered; returns whether it may be. */
  #accept(counts: FamilyCounts, address: StunAddress, source: DatagramSource): boolean {
    const unmapped = unmapAddress(address)
    this.#bridgeWatch?.see(unmapped, this.#clock.now())
    if (!this.#mayAnswer(unmapped, source)) return false
    const family = unmapped.family === 4 ? 'ipv4' : 'ipv6'
    this.counters[family]++
    counts[family]++
    return true
  }

  #mayAnswer({ family, bytes }: StunAddress, source: DatagramSource): boolean {
    if (this.#limiter === undefined) return true
    // A client with one IPv6 address has the whole /64.
    const key = String.fromCharCode(...(family === 4 ? bytes : bytes.subarray(0, 8)))
    if (this.#limiter.tryTake(key, this.#clock.now())) return true
    this.requests.refused.rateLimited[familyOf(source)]++
    return false
  }

  #refuse(reason: StunRefusalReason, source: DatagramSource): void {
    this.counters.notStun++
    this.requests.refused[reason][familyOf(source)]++
  }

  /** Counts and reports a socket failure. */
  readFailed(error: Error): void {
    this.counters.readError++
    this.#onError(error, 'read')
  }

  #send(response: Uint8Array, { address, port }: DatagramSource, sender: DatagramSender, isSuccess = true): void {
    if (sender.getSendQueueSize() > MAX_QUEUED_BYTES) {
      this.#writeFailed(new StunError('ERR_DERP_STUN_BACKLOG', 'send STUN response: send queue is full'))
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

/** Without parsing the whole address, which is unnecessary for dropped datagrams. */
function familyOf({ address, family }: DatagramSource): keyof FamilyCounts {
  return family === 'IPv4' || address.startsWith('::ffff:') ? 'ipv4' : 'ipv6'
}

// A dual-stack socket reports IPv4 sources as IPv4-mapped IPv6, and so does the response: 16 bytes, family IPv6.
function sourceAddress({ address, port, family }: DatagramSource): StunAddress {
  const bytes = addressTo16(address)
  return family === 'IPv4' ? { family: 4, bytes: bytes.subarray(12), port } : { family: 6, bytes, port }
}

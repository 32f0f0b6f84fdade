/**
 * Answers datagrams, one at a time; knows sockets only as something that sends (P-180, P-181, P-183).
 *
 * What is not a request from a node is counted and dropped: an answer would help a flood along.
 */

import { addressTo16 } from '../lib/address-port.ts'
import { type StunAddress, unmapAddress } from './mapped-address.ts'
import { encodeBindingResponse, parseBindingRequest } from './message.ts'
import { StunError } from './stun-error.ts'

/** Counts since the start; names and meaning as in the original's metrics (P-183). */
export interface StunCounters {
  /** Responses sent. */
  success: number
  /** Datagrams that were no STUN, or no request from a node. */
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

// Enough for bursts; what waits longer than this takes to drain has no use for a client that measures time.
const MAX_QUEUED_BYTES = 1 << 20

/** One datagram in, at most one out. */
export class StunResponder {
  readonly counters: StunCounters = { success: 0, notStun: 0, writeError: 0, readError: 0, ipv4: 0, ipv6: 0 }
  readonly #onError: StunErrorListener

  constructor(onError: StunErrorListener) {
    this.#onError = onError
  }

  /** Handles a datagram; the bytes are not kept. */
  receive(datagram: Uint8Array, source: DatagramSource, sender: DatagramSender): void {
    const request = parseBindingRequest(datagram)
    if (!request.ok) {
      this.counters.notStun++
      return
    }
    const address = sourceAddress(source)
    if (unmapAddress(address).family === 4) this.counters.ipv4++
    else this.counters.ipv6++
    this.#send(encodeBindingResponse(request.txId, address), source, sender)
  }

  /** Counts and reports a failure of the socket itself. */
  readFailed(error: Error): void {
    this.counters.readError++
    this.#onError(error, 'read')
  }

  #send(response: Uint8Array, { address, port }: DatagramSource, sender: DatagramSender): void {
    if (sender.getSendQueueSize() > MAX_QUEUED_BYTES) {
      this.#writeFailed(new StunError('ERR_DERP_STUN_BACKLOG', 'send STUN response: too much is waiting to be sent'))
      return
    }
    try {
      sender.send(response, port, address, error => {
        if (error === null) this.counters.success++
        else this.#writeFailed(error)
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

// A dual-stack socket tells IPv4 sources as IPv4-mapped IPv6, and the response says so too: 16 bytes, family IPv6.
function sourceAddress({ address, port, family }: DatagramSource): StunAddress {
  const bytes = addressTo16(address)
  return family === 'IPv4' ? { family: 4, bytes: bytes.subarray(12), port } : { family: 6, bytes, port }
}

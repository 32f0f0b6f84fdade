/**
 * Queries to all relays of the region. A query ends when all have responded, or by timeout.
 *
 * Clauses: P-308, P-309.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { encodeMessage } from './encode.ts'
import { ASK_AGAIN_MS, GIVE_UP_MS } from './limits.ts'
import type { RelayId } from './stamp.ts'

export interface InquiryPorts {
  readonly clock: Clock
  /** The relays that must respond. */
  relays(): Iterable<RelayId>
  broadcast(question: Uint8Array): void
  send(to: RelayId, question: Uint8Array): void
}

interface Inquiry {
  readonly id: number
  readonly question: Uint8Array
  /** Relays that have not responded. */
  readonly open: Set<RelayId>
  readonly done: (isAnswered: boolean) => void
  timer: Timer
}

export class Inquiries {
  readonly #ports: InquiryPorts
  readonly #inquiries = new Map<number, Inquiry>()
  #lastId = 0

  constructor(ports: InquiryPorts) {
    this.#ports = ports
  }

  /** @param done called with whether all relays have responded. */
  ask(keys: readonly NodePublicKey[], done: (isAnswered: boolean) => void): void {
    const open = new Set(this.#ports.relays())
    if (open.size === 0) {
      done(true)
      return
    }
    const id = ++this.#lastId
    const question = encodeMessage({ type: 'find', id, keys })
    const timer = this.#ports.clock.after(ASK_AGAIN_MS, () => this.#askAgain(inquiry))
    const inquiry: Inquiry = { id, question, open, done, timer }
    this.#inquiries.set(id, inquiry)
    this.#ports.broadcast(question)
  }

  /** A relay has responded; its response has been processed. */
  answered(id: number, by: RelayId): void {
    const inquiry = this.#inquiries.get(id)
    if (inquiry?.open.delete(by) === true && inquiry.open.size === 0) this.#end(inquiry, true)
  }

  /** A relay has left: it has no clients. */
  relayLeft(relay: RelayId): void {
    for (const id of this.#inquiries.keys()) this.answered(id, relay)
  }

  /** Aborts all queries. */
  giveUp(): void {
    for (const inquiry of this.#inquiries.values()) this.#end(inquiry, false)
  }

  #askAgain(inquiry: Inquiry): void {
    for (const relay of inquiry.open) this.#ports.send(relay, inquiry.question)
    inquiry.timer = this.#ports.clock.after(GIVE_UP_MS - ASK_AGAIN_MS, () => this.#end(inquiry, false))
  }

  #end(inquiry: Inquiry, isAnswered: boolean): void {
    inquiry.timer.cancel()
    this.#inquiries.delete(inquiry.id)
    inquiry.done(isAnswered)
  }
}

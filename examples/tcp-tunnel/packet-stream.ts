/**
 * A reliable byte stream over packets that may be lost or come twice: numbered, acknowledged, resent after a silence.
 *
 * Like TCP, it ends in each direction by itself, and a reader that is slow slows down the writer.
 */

import { Duplex } from 'node:stream'

export const Kind = { data: 0, end: 1, ack: 2, ask: 3, reset: 4 } as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** A numbered packet of a stream. Those of kind `ack` carry the next number expected, and up to which the writer may go on. */
export interface Packet {
  readonly kind: Kind
  readonly number: number
  readonly limit?: number
  readonly data?: Uint8Array
}

/** What a stream needs of the connection that it shares with others. */
export interface Carrier {
  readonly transmit: (packet: Packet) => void
  /** Calls `sendNext` whenever there is room, in turn with other streams, until it returns false. */
  readonly schedule: (stream: PacketStream) => void
  /** That many packets have arrived, or are given up. */
  readonly free: (packets: number) => void
  /** The stream is over, but answers a while longer what still comes. */
  readonly ended: () => void
}

/** Of data in a packet, which has room for twice as much. */
const PART_BYTES = 32_768
/** Packets that a writer may be ahead of what was read. */
const WINDOW = 8
const RESEND_MS = 500
/** Silence after which a stream without traffic asks whether the other side is still there. */
const IDLE_MS = 30_000
/** Silences in a row, each up to eight times as long as the first, after which the other side counts as gone. */
const PATIENCE = 10

export class PacketStream extends Duplex {
  readonly #carrier: Carrier
  readonly #queued: Packet[] = []
  readonly #unanswered: Packet[] = []
  #next = 0
  #limit = WINDOW
  #whenSent: (() => void) | undefined
  #whenAnswered: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #silences = 0
  #expected = 0
  #promised = WINDOW
  #isBroken = false

  /** @param isOpener tells the other side at once, which may be the first to speak. */
  constructor(carrier: Carrier, isOpener: boolean) {
    super()
    this.#carrier = carrier
    this.#arm()
    if (isOpener) this.#queue(Kind.data, new Uint8Array())
    carrier.schedule(this)
  }

  /** Sends one packet, if there is one and the reader has room; returns whether it did. */
  sendNext(): boolean {
    if (this.#queued.length === 0) return false
    this.#arm()
    if (this.#next === this.#limit) return false
    const [packet] = this.#queued.splice(0, 1) as [Packet]
    this.#next++
    this.#unanswered.push(packet)
    this.#carrier.transmit(packet)
    if (this.#queued.length === 0) this.#whenSent?.()
    return true
  }

  receive({ kind, number, limit = 0, data }: Packet): void {
    if (kind === Kind.reset) this.destroy(new Error('the other side has broken the connection off'))
    else if (this.#isBroken) this.#carrier.transmit({ kind: Kind.reset, number: 0 })
    else if (kind === Kind.ack) this.#answered(number, limit)
    else {
      if (number === this.#expected && number < this.#promised && kind !== Kind.ask) {
        this.#expected++
        this.push(kind === Kind.end ? null : data)
      }
      this.#answer()
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#whenSent = done
    if (chunk.length === 0) done()
    for (let at = 0; at < chunk.length; at += PART_BYTES) this.#queue(Kind.data, chunk.subarray(at, at + PART_BYTES))
    this.#carrier.schedule(this)
  }

  override _final(done: () => void): void {
    this.#whenSent = undefined
    this.#whenAnswered = done
    this.#queue(Kind.end)
    this.#carrier.schedule(this)
  }

  override _read(): void {
    if (this.#promised < this.#expected + WINDOW) this.#answer()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer)
    this.#carrier.free(this.#unanswered.splice(0).length)
    this.#isBroken = error !== null || !this.readableEnded || !this.writableFinished
    if (this.#isBroken) this.#carrier.transmit({ kind: Kind.reset, number: 0 })
    this.#carrier.ended()
    done(error)
  }

  #queue(kind: Kind, data?: Uint8Array): void {
    const number = this.#next + this.#queued.length
    this.#queued.push({ kind, number, ...(data !== undefined && { data }) })
  }

  /** While much waits to be read, the limit stays where it was. */
  #answer(): void {
    if (this.readableLength < this.readableHighWaterMark) this.#promised = this.#expected + WINDOW
    this.#carrier.transmit({ kind: Kind.ack, number: this.#expected, limit: this.#promised })
  }

  #answered(expected: number, limit: number): void {
    const arrived = this.#unanswered.filter(({ number }) => number < expected).length
    this.#unanswered.splice(0, arrived)
    this.#carrier.free(arrived)
    this.#limit = Math.max(this.#limit, limit)
    this.#silences = 0
    if (!this.destroyed) this.#arm()
    if (this.#queued.length > 0) this.#carrier.schedule(this)
    else if (this.#unanswered.length === 0) {
      this.#whenAnswered?.()
      this.#whenAnswered = undefined
    }
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const isIdle = this.#queued.length === 0 && this.#unanswered.length === 0 && this.#silences === 0
    const delayMs = isIdle ? IDLE_MS : RESEND_MS * 2 ** Math.min(this.#silences, 3)
    this.#timer = setTimeout(() => this.#resend(), delayMs)
  }

  #resend(): void {
    if (++this.#silences > PATIENCE) this.destroy(new Error('the other side does not answer'))
    else {
      if (this.#unanswered.length === 0) this.#carrier.transmit({ kind: Kind.ask, number: 0 })
      for (const packet of this.#unanswered) this.#carrier.transmit(packet)
      this.#arm()
    }
  }
}

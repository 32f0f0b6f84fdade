/** The streams of a connection between two peers, which share what may be on the way. */

import { Kind, type Packet, PacketStream } from './packet-stream.ts'

/** Unanswered packets of all streams together. Relays keep 32 for a reader, and answers count as well. */
const MAX_ON_THE_WAY = 16
/** For how long a stream that has ended answers packets that come again. */
const LINGER_MS = 10_000
/** Kind, stream, number, limit. */
const HEADER_BYTES = 13

export class Streams {
  readonly #send: (packet: Uint8Array) => void
  readonly #onOpen: ((stream: PacketStream) => void) | undefined
  readonly #streams = new Map<number, PacketStream>()
  /** Those with something to send, the next one first. */
  readonly #ready = new Set<PacketStream>()
  #onTheWay = 0
  #nextId = 0

  /**
   * @param send sends a packet, which may be lost.
   * @param onOpen is called for each stream that the other side opens. Default: it may open none.
   */
  constructor(send: (packet: Uint8Array) => void, onOpen?: (stream: PacketStream) => void) {
    this.#send = send
    this.#onOpen = onOpen
  }

  open(): PacketStream {
    return this.#add(this.#nextId++, true)
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.destroy()
  }

  receive(bytes: Uint8Array): void {
    if (bytes.length < HEADER_BYTES) return
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const [kind, id, number] = [view.getUint8(0) as Kind, view.getUint32(1), view.getUint32(5)]
    let stream = this.#streams.get(id)
    if (stream === undefined && kind === Kind.data && number === 0 && this.#onOpen !== undefined) {
      stream = this.#add(id, false)
      this.#onOpen(stream)
    }
    // Of one that is not known the first packet has been lost, and comes again.
    stream?.receive({ kind, number, limit: view.getUint32(9), data: bytes.subarray(HEADER_BYTES) })
  }

  #add(id: number, isOpener: boolean): PacketStream {
    const stream: PacketStream = new PacketStream(
      {
        transmit: packet => this.#transmit(id, packet),
        schedule: each => {
          this.#ready.add(each)
          this.#run()
        },
        free: packets => {
          this.#onTheWay -= packets
          this.#run()
        },
        ended: () => {
          this.#ready.delete(stream)
          setTimeout(() => this.#streams.delete(id), LINGER_MS).unref()
        },
      },
      isOpener,
    )
    this.#streams.set(id, stream)
    return stream
  }

  /** One packet of each stream in turn: those that are added again come last. */
  #run(): void {
    for (const stream of this.#ready) {
      if (this.#onTheWay >= MAX_ON_THE_WAY) return
      this.#ready.delete(stream)
      this.#onTheWay++
      if (stream.sendNext()) this.#ready.add(stream)
      else this.#onTheWay--
    }
  }

  #transmit(id: number, { kind, number, limit = 0, data = new Uint8Array() }: Packet): void {
    const bytes = new Uint8Array(HEADER_BYTES + data.length)
    const view = new DataView(bytes.buffer)
    view.setUint8(0, kind)
    view.setUint32(1, id)
    view.setUint32(5, number)
    view.setUint32(9, limit)
    bytes.set(data, HEADER_BYTES)
    this.#send(bytes)
  }
}

/**
 * What leaves in one write: chunks to be written and what they count as.
 *
 * Neighbouring frames become one chunk: a chunk is a view of what was received wherever that is possible.
 */

import type { RelayCounters } from '../../metrics/counters.ts'
import type { DropReason, PacketKind } from '../../metrics/drop-reason.ts'

export class WriteBatch {
  /** Bytes of all frames. */
  bytes = 0
  /** Frames of all types. */
  frames = 0
  /** Packets among the frames. */
  packets = 0
  #chunks: Uint8Array[] = []
  #payloadBytes = 0
  #discoPackets = 0
  #discoBytes = 0
  /** The last chunk, which the next frame may continue; offsets reckon from the start of this view. */
  #run: Uint8Array | undefined
  #runStart = 0
  #runEnd = 0

  /** Adds the frame at `start` up to `end` of `buffer`, which must not change until the batch has been written. */
  add(buffer: Uint8Array, start: number, end: number): void {
    const run = this.#run
    if (run !== undefined && continues(run, this.#runEnd, buffer, start)) {
      this.#runEnd += end - start
    } else {
      this.#closeRun()
      this.#run = buffer
      this.#runStart = start
      this.#runEnd = end
    }
    this.bytes += end - start
    this.frames++
  }

  /** Notes that the frame added last carries a packet. */
  countPacket(kind: PacketKind, payloadBytes: number): void {
    this.packets++
    this.#payloadBytes += payloadBytes
    if (kind === 'other') return
    this.#discoPackets++
    this.#discoBytes += payloadBytes
  }

  /** Hands the chunks over; what they count as is kept until {@link sent} or {@link dropped}. */
  takeChunks(): Uint8Array[] {
    this.#closeRun()
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  /** The batch has left: counts it, and begins anew. */
  sent(counters: RelayCounters): void {
    counters.packetsSent += this.packets
    counters.bytesSent += this.#payloadBytes
    this.#reset()
  }

  /** The batch has not left: counts its packets as dropped, and begins anew. */
  dropped(counters: RelayCounters, reason: DropReason): void {
    const { disco, other } = counters.dropped[reason]
    disco.packets += this.#discoPackets
    disco.bytes += this.#discoBytes
    other.packets += this.packets - this.#discoPackets
    other.bytes += this.#payloadBytes - this.#discoBytes
    this.#reset()
  }

  #closeRun(): void {
    const run = this.#run
    if (run === undefined) return
    this.#chunks.push(viewOf(run, this.#runStart, this.#runEnd))
    this.#run = undefined
  }

  #reset(): void {
    this.bytes = 0
    this.frames = 0
    this.packets = 0
    this.#chunks = []
    this.#payloadBytes = 0
    this.#discoPackets = 0
    this.#discoBytes = 0
    this.#run = undefined
  }
}

/**
 * Reports whether `start` of `buffer` is where `runEnd` of `run` is. TLS gives a view of its own for each record, but
 * neighbouring records lie one behind the other.
 */
function continues(run: Uint8Array, runEnd: number, buffer: Uint8Array, start: number): boolean {
  if (run === buffer) return runEnd === start
  return run.byteOffset + runEnd === buffer.byteOffset + start && run.buffer === buffer.buffer
}

function viewOf(run: Uint8Array, start: number, end: number): Uint8Array {
  if (start === 0 && end === run.length) return run
  if (end <= run.length) return run.subarray(start, end)
  return new Uint8Array(run.buffer, run.byteOffset + start, end - start)
}

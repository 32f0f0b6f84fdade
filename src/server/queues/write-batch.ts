/**
 * The contents of one write: its chunks and their counts.
 *
 * Adjacent frames become one chunk, which is a view of the received buffer if possible.
 */

import type { RelayCounters } from '../../metrics/counters.ts'
import type { DropReason, PacketKind } from '../../metrics/drop-reason.ts'
import type { ConnectionTally } from '../connection-tally.ts'

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
  /** The last chunk, which the next frame may extend; offsets are relative to this view. */
  #run: Uint8Array | undefined
  #runStart = 0
  #runEnd = 0

  /** Adds the frame from `start` to `end` of `buffer`, which must not change until the batch has been written. */
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

  /** Records that the last frame carries a packet. */
  countPacket(kind: PacketKind, payloadBytes: number): void {
    this.packets++
    this.#payloadBytes += payloadBytes
    if (kind === 'other') return
    this.#discoPackets++
    this.#discoBytes += payloadBytes
  }

  /** The chunks to write. No frame may be added until {@link sent} or {@link dropped}. */
  chunks(): Uint8Array[] {
    this.#closeRun()
    return this.#chunks
  }

  /** The batch was sent: counts it and starts over. */
  sent(counters: RelayCounters, tally: ConnectionTally): void {
    counters.packetsSent += this.packets
    counters.bytesSent += this.#payloadBytes
    tally.bytesSent += this.bytes
    tally.packetsSent += this.packets
    tally.packetBytesSent += this.#payloadBytes
    this.#reset()
  }

  /** The batch was not sent: counts its packets as dropped and starts over. */
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
 * Whether `start` of `buffer` is at `runEnd` of `run`. TLS returns a separate view per record, but adjacent records are
 * contiguous in memory.
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

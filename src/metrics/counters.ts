/**
 * Counters of one part of a relay, as plain number fields: counting must cost nothing on the packet path.
 *
 * Parts (one per core) are merged by adding; the exporters in `http/` give them their names.
 */

import type { DerpErrorCode } from '../lib/derp-error.ts'
import { DROP_REASONS, type DropReason, type PacketKind } from './drop-reason.ts'
import { DELAY_BOUNDS_MS, Histogram, MESH_UPDATE_BATCH_BOUNDS, WRITE_FRAMES_BOUNDS } from './histogram.ts'
import { addNumbers } from './merge.ts'

/** Packets and payload bytes. */
export interface Amount {
  packets: number
  bytes: number
}

/** A gauge or counter is documented by the metric it becomes; see `http/` for the names. */
export class RelayCounters {
  accepts = 0
  packetsReceivedDisco = 0
  packetsReceivedOther = 0
  bytesReceived = 0
  packetsSent = 0
  bytesSent = 0
  packetsForwardedIn = 0
  packetsForwardedOut = 0
  gotPing = 0
  sentPong = 0
  peerGoneDisconnectedFrames = 0
  peerGoneNotHereFrames = 0
  unknownFrames = 0
  homeMovesIn = 0
  homeMovesOut = 0
  writeTimeouts = 0
  /** Times that a client was not read from because of its rate limit. */
  rateLimitWaits = 0
  currentConnections = 0
  currentHomeConnections = 0
  currentNotIdealConnections = 0
  /** Logins that have been completed. */
  logins = 0
  readonly dropped: Record<DropReason, Record<PacketKind, Amount>> = emptyDrops()
  /** Connections that ended by a fault of either side, by error code. */
  readonly failures: Partial<Record<DerpErrorCode, number>> = {}
  /** Milliseconds that packets waited before they were sent or displaced. */
  readonly queueAgeMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Milliseconds from the TCP accept to the DERP connection: TLS and HTTP. */
  readonly acceptMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Milliseconds from the DERP connection to ServerInfo. */
  readonly loginMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** The longest delay of the event loop in each interval, in milliseconds. */
  readonly eventLoopDelayMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Changes of presence that a watcher was told at once. */
  readonly meshUpdateBatchSize: Histogram = new Histogram(MESH_UPDATE_BATCH_BOUNDS)
  /** Milliseconds from a ping to a client to its answer. */
  readonly clientRoundTripMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Frames of each write. */
  readonly bufferedWriteFrames: Histogram = new Histogram(WRITE_FRAMES_BOUNDS)

  /** Notes one dropped packet of `bytes` payload bytes. */
  drop(reason: DropReason, kind: PacketKind, bytes: number): void {
    const amount = this.dropped[reason][kind]
    amount.packets++
    amount.bytes += bytes
  }

  /** Notes a connection that ended by a fault. */
  fail(code: DerpErrorCode): void {
    this.failures[code] = (this.failures[code] ?? 0) + 1
  }
}

function emptyDrops(): Record<DropReason, Record<PacketKind, Amount>> {
  const kinds = () => ({ disco: { packets: 0, bytes: 0 }, other: { packets: 0, bytes: 0 } })
  return Object.fromEntries(DROP_REASONS.map(reason => [reason, kinds()])) as Record<
    DropReason,
    Record<PacketKind, Amount>
  >
}

/** The sum of several parts' counters. */
export function mergeCounters(parts: readonly RelayCounters[]): RelayCounters {
  const total = new RelayCounters()
  for (const part of parts) addNumbers(total, part)
  return total
}

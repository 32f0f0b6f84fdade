/**
 * Counters of one relay or worker, as plain number fields: counting must cost nothing on the packet path.
 *
 * The counters of several workers are merged by adding; `status/` gives them their names.
 */

import type { DerpErrorCode } from '../lib/derp-error.ts'
import { DROP_REASONS, type DropReason, type PacketKind } from './drop-reason.ts'
import { DELAY_BOUNDS_MS, Histogram, MESH_UPDATE_BATCH_BOUNDS, WRITE_FRAMES_BOUNDS } from './histogram.ts'
import { addNumbers } from './merge.ts'

/** Packets and payload bytes. */
export interface Amount {
  /** Number of packets. */
  packets: number
  /** Bytes of their payloads. */
  bytes: number
}

/**
 * Counters of one relay or worker since its start. They only grow, except those that begin with `current`.
 *
 * @example
 * ```ts
 * const { counters } = createRelay({ privateKey }).core
 * console.log(counters.packetsSent, counters.dropped)
 * ```
 */
export class RelayCounters {
  /** Connections that were handed over to log in. */
  accepts = 0
  /** Disco packets from clients. */
  packetsReceivedDisco = 0
  /** Packets from clients, disco apart. */
  packetsReceivedOther = 0
  /** Payload bytes of all packets from clients. */
  bytesReceived = 0
  /** Packets written to clients. */
  packetsSent = 0
  /** Payload bytes of packets written to clients. */
  bytesSent = 0
  /** Packets from other relays, in ForwardPacket frames. */
  packetsForwardedIn = 0
  /** Packets for clients of other relays, passed to a link. */
  packetsForwardedOut = 0
  /** Pings from clients. */
  gotPing = 0
  /** Pongs to clients. */
  sentPong = 0
  /** PeerGone frames sent because a peer has left. */
  peerGoneDisconnectedFrames = 0
  /** PeerGone frames sent because a peer is not known. */
  peerGoneNotHereFrames = 0
  /** Skipped frames, of types that no client sends. */
  unknownFrames = 0
  /** Clients that have made this relay their home, later than 5 s after their login. */
  homeMovesIn = 0
  /** Clients that have made another relay their home, later than 5 s after their login. */
  homeMovesOut = 0
  /** Connections closed because the client did not take a write in time. */
  writeTimeouts = 0
  /** Times that reading from a client was delayed by its rate limit. */
  rateLimitWaits = 0
  /** Frames that waited for their client's share of the rate of all clients. */
  totalRateWaits = 0
  /** Milliseconds that frames waited for their client's share of the rate of all clients, summed. */
  totalRateWaitMs = 0
  /** Logged-in connections now. */
  currentConnections = 0
  /** Logged-in connections of clients whose home is this relay. */
  currentHomeConnections = 0
  /** Logged-in connections of clients that would have preferred another node of the region. */
  currentNotIdealConnections = 0
  /** Completed logins. */
  logins = 0
  /** Packets that were not delivered, by reason and kind. */
  readonly dropped: Record<DropReason, Record<PacketKind, Amount>> = emptyDrops()
  /** Connections that ended with an error of either side, by error code. */
  readonly failures: Partial<Record<DerpErrorCode, number>> = {}
  /** Milliseconds that packets were queued before being sent or displaced. */
  readonly queueAgeMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Milliseconds from TCP accept to the DERP connection: TLS and HTTP. */
  readonly acceptMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Milliseconds from the DERP connection to ServerInfo. */
  readonly loginMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** The longest delay of the event loop in each interval, in milliseconds. */
  readonly eventLoopDelayMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Presence changes sent to a watcher in one batch. */
  readonly meshUpdateBatchSize: Histogram = new Histogram(MESH_UPDATE_BATCH_BOUNDS)
  /** Milliseconds from a ping to a client to its reply. */
  readonly clientRoundTripMs: Histogram = new Histogram(DELAY_BOUNDS_MS)
  /** Frames per write. */
  readonly bufferedWriteFrames: Histogram = new Histogram(WRITE_FRAMES_BOUNDS)

  /** Counts a dropped packet of `bytes` payload bytes. */
  drop(reason: DropReason, kind: PacketKind, bytes: number): void {
    const amount = this.dropped[reason][kind]
    amount.packets++
    amount.bytes += bytes
  }

  /** Counts a connection that ended with an error. */
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

/**
 * The sum of several workers' counters.
 *
 * @example
 * ```ts
 * const relays = [createRelay({ privateKey }), createRelay({ privateKey })]
 * const total = mergeCounters(relays.map(({ core }) => core.counters))
 * ```
 */
export function mergeCounters(parts: readonly RelayCounters[]): RelayCounters {
  const total = new RelayCounters()
  for (const part of parts) addNumbers(total, part)
  return total
}

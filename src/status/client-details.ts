/** What is shown of one connection. The names, and what they count, are those of the newest original. */

import { formatAddressPort } from '../lib/address-port.ts'
import type { Session } from '../server/session.ts'

/** One connection on `/debug/clients/`. */
export interface ClientDetails {
  /** Unique among the relay's connections, in the order in which they were accepted. */
  readonly connNum: number
  readonly key: string
  /** Address and port; empty if the transport does not know them. */
  readonly remote: string
  /** RFC 3339. */
  readonly connectedAt: string
  /** Nanoseconds, in whole seconds. */
  readonly connected: number
  /** Packets for the key go to this connection. */
  readonly active: boolean
  /** The key has more than one connection. */
  readonly dup: boolean
  /** Always false: ours disables no connection for being one of several. */
  readonly disabled: boolean
  readonly home: boolean
  readonly meshPeer: boolean
  readonly notIdeal: boolean
  readonly prober: boolean
  readonly version: number
  /** Empty if unknown. */
  readonly appName: string
  /** Packets that the client has sent, and bytes of their payloads. */
  readonly rxPkts: number
  readonly rxBytes: number
  /** The same of packets that were written to it. */
  readonly txPkts: number
  readonly txBytes: number
  /** Peers whose packets it has received. */
  readonly senders: number
  /** Ours only: packets that wait for it, and bytes that wait or are being written. */
  readonly queuedPackets: number
  readonly pendingBytes: number
  /** Ours only: milliseconds for which its packets waited for its share of the rate of all clients. */
  readonly heldBackMs: number
  /** Ours only: milliseconds from the last ping to its reply; absent without pings. */
  readonly roundTripMs?: number | undefined
}

const NANOSECONDS_PER_SECOND = 1_000_000_000

/** @param connectedAtMs in milliseconds since 1970. */
export function detailsOf(session: Session, connNum: number, connectedAtMs: number): ClientDetails {
  const { info, relay, key, remote, isDuplicate, tally } = session
  const seconds = Math.round((relay.now() - session.connectedAtMs) / 1_000)
  return {
    connNum,
    key: key.toString(),
    remote: remote === undefined ? '' : formatAddressPort(remote),
    connectedAt: new Date(connectedAtMs).toISOString(),
    connected: seconds * NANOSECONDS_PER_SECOND,
    active: !isDuplicate || relay.routes.get(key.bytes)?.local === session,
    dup: isDuplicate,
    disabled: false,
    home: session.isPreferred,
    meshPeer: session.canMesh,
    notIdeal: session.notIdeal,
    prober: info.isProber,
    version: info.version ?? 0,
    appName: info.appName ?? '',
    rxPkts: tally.packetsReceived,
    rxBytes: tally.packetBytesReceived,
    txPkts: tally.packetsSent,
    txBytes: tally.packetBytesSent,
    senders: tally.senders,
    queuedPackets: session.queuedPackets,
    pendingBytes: session.pendingBytes,
    heldBackMs: Math.round(tally.heldBackMs),
    roundTripMs: session.pings?.lastMs,
  }
}

/**
 * Counters of a relay in its region. `status/region-metrics.ts` gives them their names, docs/operate/region.md their
 * meaning.
 */

import type { MeshLinkCounters } from './mesh-counters.ts'

export class RegionCounters {
  relaysMet = 0
  relaysLost = 0
  searches = 0
  found = 0
  searchesForNobody = 0
  searchesFailed = 0
  superseded = 0
  wentAstray = 0
  timesRefused = 0
  resyncs = 0
  listsSent = 0
  messagesReceived = 0
  messagesUnknown = 0
  messagesLost = 0
  routesIdled = 0
  routesDisplaced = 0
}

/** State of a relay in its region, as shown in the metrics. */
export interface RegionSnapshot {
  readonly counters: RegionCounters
  readonly isJoined: boolean
  /** The other relays. */
  readonly members: readonly RegionMember[]
  /** Routes in use to clients of other relays. */
  readonly routes: number
  /** Packets that wait until their destination is found. */
  readonly waitingPackets: number
  /** Of all links together. */
  readonly links: MeshLinkCounters
}

/** Another relay of the region. */
export interface RegionMember {
  readonly id: string
  readonly url: string
  readonly isLinkUp: boolean
  /** Milliseconds since its last beat. */
  readonly silentMs: number
  /** Milliseconds by which its clock is ahead. */
  readonly aheadMs: number
}

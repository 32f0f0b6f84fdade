/** Statistics of all workers, including those that are gone: no counter may go backwards. */

import type { ConnectionCounters } from '../../metrics/connection-counters.ts'
import { mergeCounters, RelayCounters } from '../../metrics/counters.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import { mergeConnectionCounters, mergeHttpCounters } from '../../metrics/merge.ts'
import type { WorkerSnapshot } from '../channel/messages.ts'
import { settleLedger } from '../link/packet-ledger.ts'

/** All zero. */
function noTotals(): WorkerSnapshot {
  return {
    counters: new RelayCounters(),
    averageQueueMs: 0,
    pendingBytes: 0,
    pendingLogins: 0,
    heldBack: 0,
    http: new HttpCounters(),
    connections: undefined,
  }
}

export class WorkerTotals<W> {
  /** The last known statistics of each worker. */
  readonly #known = new Map<W, WorkerSnapshot>()
  /** Counters of workers that are gone, as far as known. */
  #gone: WorkerSnapshot = noTotals()

  note(worker: W, snapshot: WorkerSnapshot): void {
    this.#known.set(worker, snapshot)
  }

  /** The worker is gone: its counters stay, those of packets as in its ledger. */
  remove(worker: W, ledger: SharedArrayBuffer): void {
    const last = countedBy(this.#known.get(worker) ?? noTotals())
    settleLedger(ledger, last.counters)
    this.#gone = sumOf([this.#gone, last])
    this.#known.delete(worker)
  }

  sum(): WorkerSnapshot {
    return sumOf([this.#gone, ...this.#known.values()])
  }
}

function sumOf(parts: readonly WorkerSnapshot[]): WorkerSnapshot {
  const connections = parts.flatMap((part): ConnectionCounters[] => (part.connections ? [part.connections] : []))
  const counters = mergeCounters(parts.map(part => part.counters))
  const sum = (read: (part: WorkerSnapshot) => number) => parts.reduce((total, part) => total + read(part), 0)
  return {
    counters,
    averageQueueMs: averageQueueMs(parts),
    pendingBytes: sum(({ pendingBytes }) => pendingBytes),
    pendingLogins: sum(({ pendingLogins }) => pendingLogins),
    heldBack: sum(({ heldBack }) => heldBack),
    http: mergeHttpCounters(parts.map(part => part.http)),
    connections: connections.length === 0 ? undefined : mergeConnectionCounters(connections),
  }
}

/** Each worker's average is weighted by its packets. */
function averageQueueMs(parts: readonly WorkerSnapshot[]): number {
  let packets = 0
  let weighted = 0
  for (const { averageQueueMs: average, counters } of parts) {
    const { counts } = counters.queueAgeMs
    const weight = counts.reduce((total, inBucket) => total + inBucket, 0)
    packets += weight
    weighted += average * weight
  }
  return packets === 0 ? 0 : weighted / packets
}

/** What remains when the worker is gone: counters, but no state. */
function countedBy(snapshot: WorkerSnapshot): WorkerSnapshot {
  const { counters, http, connections } = sumOf([snapshot])
  counters.currentConnections = 0
  counters.currentHomeConnections = 0
  counters.currentNotIdealConnections = 0
  for (const version of Object.keys(http.tlsActive)) http.tlsActive[version] = 0
  http.bootstrapDns.queriedDomains = 0
  if (connections !== undefined) connections.open = 0
  return { ...noTotals(), counters, http, connections }
}

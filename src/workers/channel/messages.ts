/**
 * Messages between the coordinator of a relay and its workers.
 *
 * They cross threads as structured clones: keys are bytes, and nothing has methods.
 */

import type { AddressPort } from '../../lib/address-port.ts'
import type { ConnectionCounters } from '../../metrics/connection-counters.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import type { ClientInfo } from '../../protocol/client-info.ts'
import type { DrainResult } from '../../server/drain.ts'
import type { RelayEvents } from '../../server/events.ts'
import type { AdmissionVerdict } from '../../server/ports.ts'
import type { RateLimit } from '../../server/reading/rate-limit.ts'
import type { ClientsPage, ClientsPart, ClientsQuery, Numbering } from '../../status/clients-query.ts'
import type { ConnectionTraffic, SessionsSnapshot } from '../../status/relay-view.ts'
import type { MetricSnapshot } from '../../status/snapshot.ts'
import type { TransferHandle } from './port.ts'
import type { PresenceMessage } from './presence-message.ts'
import type { Answered, Asked } from './rpc.ts'

/** A public key: 32 bytes. */
export type KeyBytes = Uint8Array

/** A worker's session, for the coordinator. */
export interface SessionMessage {
  /** Unique among the worker's sessions, and never reused. */
  readonly id: number
  readonly key: KeyBytes
  readonly remote: AddressPort | undefined
  readonly flags: number
  readonly canMesh: boolean
  readonly info: ClientInfo
  readonly token: string | undefined
}

/** A client requesting admission. */
export interface AdmissionMessage {
  readonly clientKey: KeyBytes
  readonly info: ClientInfo
  readonly remote: AddressPort | undefined
  readonly token: string | undefined
}

/** Where packets for a key go: to a worker's session, over a link of the coordinator, or nowhere. */
export type RouteMessage =
  | { readonly to: 'session'; readonly worker: number; readonly id: number }
  | { readonly to: 'link' }
  | { readonly to: 'nobody' }

/** Statistics of one worker, or of several together. */
export interface WorkerSnapshot extends SessionsSnapshot {
  readonly http: HttpCounters
  readonly connections: ConnectionCounters | undefined
}

/** The same with what the coordinator checks. */
export interface CheckedSnapshot extends WorkerSnapshot {
  /** Keys that the worker routes. */
  readonly routes: number
  /** Sessions reported and not ended. */
  readonly sessions: number
}

export interface DrainMessage {
  readonly spreadMs: number
  readonly tryForMs: number
  readonly deadlineMs: number | undefined
}

/** Requests from a worker. */
export interface WorkerQuestions {
  /** Answered once all workers route to the session, with whether there was room. */
  readonly register: { readonly question: SessionMessage; readonly answer: boolean }
  /** Sessions that have sent frames, in order. Answered once all workers know. */
  readonly activity: { readonly question: readonly number[]; readonly answer: undefined }
  /** Answered after the initial flood. */
  readonly watch: { readonly question: number; readonly answer: undefined }
  /** Answered once the connections have ended and all workers know. */
  readonly closePeer: { readonly question: KeyBytes; readonly answer: undefined }
  readonly admit: { readonly question: AdmissionMessage; readonly answer: AdmissionVerdict }
  /** Answered once no worker has clients any more, except mesh peers. */
  readonly clientsEnded: { readonly question: undefined; readonly answer: undefined }
  readonly metrics: { readonly question: undefined; readonly answer: MetricSnapshot }
  readonly clients: { readonly question: ClientsQuery; readonly answer: ClientsPage }
  readonly traffic: { readonly question: undefined; readonly answer: readonly ConnectionTraffic[] }
  readonly inconsistencies: { readonly question: undefined; readonly answer: readonly string[] }
}

/** Requests from the coordinator. */
export interface CoordinatorQuestions {
  readonly snapshot: { readonly question: undefined; readonly answer: CheckedSnapshot }
  /** The worker's own part of a page. */
  readonly clients: {
    readonly question: { readonly query: ClientsQuery; readonly numbering: Numbering }
    readonly answer: ClientsPart
  }
  readonly traffic: { readonly question: undefined; readonly answer: readonly ConnectionTraffic[] }
  readonly drain: { readonly question: DrainMessage; readonly answer: DrainResult }
  /** Answered once the session has ended. */
  readonly close: { readonly question: number; readonly answer: undefined }
}

/** A direct packet link to another worker or the coordinator. */
export interface LinkMessage {
  readonly port: TransferHandle
  /** What the other end has acknowledged; see `link-tally`. */
  readonly sent: SharedArrayBuffer
  /** What this end has acknowledged. */
  readonly received: SharedArrayBuffer
}

export type ToCoordinator =
  | Asked<WorkerQuestions>
  | Answered
  /** The worker is ready and requests the full state. */
  | { readonly type: 'ready' }
  /** The worker accepts connections. */
  | { readonly type: 'listening' }
  /** A session has ended; the worker has sent all its packets before. */
  | { readonly type: 'unregister'; readonly id: number }
  /** Includes the number of coordinator posts the worker had handled when the session heard from the peer. */
  | { readonly type: 'subscribe'; readonly id: number; readonly peer: KeyBytes; readonly handled: number }
  | { readonly type: 'failed'; readonly failure: RelayEvents['connectionFailed'] }

export type ToWorker =
  | Asked<CoordinatorQuestions>
  | Answered
  | ({ readonly type: 'link'; readonly worker: number } & LinkMessage)
  | { readonly type: 'unlink'; readonly worker: number }
  /** The link for packets to clients of other relays, and where the worker keeps account of its packets: see `packet-ledger`. */
  | ({ readonly type: 'coordinatorLink'; readonly ledger: SharedArrayBuffer } & LinkMessage)
  /** Drain the worker's link: one of its sessions has ended and sends no more. */
  | { readonly type: 'drain'; readonly worker: number }
  /** Includes the number of logged-in sessions on all workers. */
  | { readonly type: 'route'; readonly key: KeyBytes; readonly route: RouteMessage; readonly connections: number }
  | { readonly type: 'duplicate'; readonly id: number; readonly isDuplicate: boolean }
  /** Further activity of this session would change nothing. */
  | { readonly type: 'latest'; readonly id: number }
  | { readonly type: 'peerLeft'; readonly id: number; readonly peer: KeyBytes }
  | { readonly type: 'presence'; readonly id: number; readonly changes: readonly PresenceMessage[] }
  | { readonly type: 'rateLimit'; readonly limit: RateLimit | undefined }
  | { readonly type: 'totalRate'; readonly bytesPerSecond: number }
  /** The worker has the full state and may accept connections. */
  | { readonly type: 'joined' }
  /** Cuts the current drain short. */
  | { readonly type: 'cut' }
  | { readonly type: 'stopListening' }
  | { readonly type: 'close' }

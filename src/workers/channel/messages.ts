/**
 * What the coordinator of a relay and its workers tell each other.
 *
 * Messages cross threads as structured clones: keys are bytes, and nothing has methods.
 */

import type { AddressPort } from '../../lib/address-port.ts'
import type { ConnectionCounters } from '../../metrics/connection-counters.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import type { ClientInfo } from '../../protocol/client-info.ts'
import type { DrainResult } from '../../server/drain.ts'
import type { RelayEvents } from '../../server/events.ts'
import type { AdmissionVerdict } from '../../server/ports.ts'
import type { RateLimit } from '../../server/rate-limit.ts'
import type { ClientDetails, ClientPage, ConnectionTraffic, WorkerPartSnapshot } from '../../status/relay-view.ts'
import type { MetricSnapshot } from '../../status/snapshot.ts'
import type { TransferHandle } from './port.ts'
import type { PresenceMessage } from './presence-message.ts'
import type { Answered, Asked } from './rpc.ts'

/** A public key: 32 bytes. */
export type KeyBytes = Uint8Array

/** A session of a worker, as the coordinator knows it. */
export interface SessionMessage {
  /** Tells it from the worker's other sessions, for ever. */
  readonly id: number
  readonly key: KeyBytes
  readonly remote: AddressPort | undefined
  readonly flags: number
  readonly canMesh: boolean
  readonly info: ClientInfo
  readonly token: string | undefined
}

/** Somebody who wants to be let in. */
export interface AdmissionMessage {
  readonly clientKey: KeyBytes
  readonly info: ClientInfo
  readonly remote: AddressPort | undefined
  readonly token: string | undefined
}

/** Where packets for a key go: to a session of a worker, by a link of the coordinator, nowhere. */
export type RouteMessage =
  | { readonly to: 'session'; readonly worker: number; readonly id: number }
  | { readonly to: 'link' }
  | { readonly to: 'nobody' }

/** Numbers of one worker, or of several together. */
export interface WorkerSnapshot extends WorkerPartSnapshot {
  readonly http: HttpCounters
  readonly connections: ConnectionCounters | undefined
}

/** The same with what the coordinator checks. */
export interface CheckedSnapshot extends WorkerSnapshot {
  /** Keys that the worker routes. */
  readonly routes: number
  /** Sessions that it has told of, and that have not ended. */
  readonly sessions: number
}

export interface DrainMessage {
  readonly spreadMs: number
  readonly tryForMs: number
  readonly deadlineMs: number | undefined
}

/** What a worker asks. */
export interface WorkerQuestions {
  /** Answered once all workers route to the session; the answer is whether there was room. */
  readonly register: { readonly question: SessionMessage; readonly answer: boolean }
  /** Answered once all know. */
  readonly activity: { readonly question: number; readonly answer: undefined }
  /** Answered behind the first presence. */
  readonly watch: { readonly question: number; readonly answer: undefined }
  /** Answered once the connections have ended and all know. */
  readonly closePeer: { readonly question: KeyBytes; readonly answer: undefined }
  readonly admit: { readonly question: AdmissionMessage; readonly answer: AdmissionVerdict }
  /** Answered once no worker has clients any more, mesh peers apart. */
  readonly clientsEnded: { readonly question: undefined; readonly answer: undefined }
  readonly metrics: { readonly question: undefined; readonly answer: MetricSnapshot }
  readonly clients: {
    readonly question: { readonly offset: number; readonly limit: number }
    readonly answer: ClientPage
  }
  readonly traffic: { readonly question: undefined; readonly answer: readonly ConnectionTraffic[] }
  readonly inconsistencies: { readonly question: undefined; readonly answer: readonly string[] }
}

/** What the coordinator asks. */
export interface CoordinatorQuestions {
  readonly numbers: { readonly question: undefined; readonly answer: CheckedSnapshot }
  /** Details of these sessions, those that have ended left out. */
  readonly details: {
    readonly question: readonly number[]
    readonly answer: readonly (readonly [id: number, ClientDetails])[]
  }
  readonly traffic: { readonly question: undefined; readonly answer: readonly ConnectionTraffic[] }
  readonly drain: { readonly question: DrainMessage; readonly answer: DrainResult }
  /** Answered once the session has ended. */
  readonly close: { readonly question: number; readonly answer: undefined }
}

/** A direct way for packets to another part. */
export interface LinkMessage {
  readonly port: TransferHandle
  /** What the other part has taken; see `link-tally`. */
  readonly sent: SharedArrayBuffer
  /** What this part has taken. */
  readonly received: SharedArrayBuffer
}

export type ToCoordinator =
  | Asked<WorkerQuestions>
  | Answered
  /** The worker wants to know all, and is ready to be told. */
  | { readonly type: 'ready' }
  /** The worker takes connections. */
  | { readonly type: 'listening' }
  /** A session has ended; the worker has sent all its packets before. */
  | { readonly type: 'unregister'; readonly id: number }
  /** With how many posts of the coordinator the worker had handled when the session heard from the peer. */
  | { readonly type: 'subscribe'; readonly id: number; readonly peer: KeyBytes; readonly handled: number }
  | { readonly type: 'failed'; readonly failure: RelayEvents['connectionFailed'] }

export type ToWorker =
  | Asked<CoordinatorQuestions>
  | Answered
  | ({ readonly type: 'link'; readonly worker: number } & LinkMessage)
  | { readonly type: 'unlink'; readonly worker: number }
  /** Packets for clients of other relays go this way. */
  | ({ readonly type: 'coordinatorLink' } & LinkMessage)
  /** Take all packets that the worker has sent: of one of its sessions there will be no more. */
  | { readonly type: 'drain'; readonly worker: number }
  /** With how many sessions are logged in, of all workers. */
  | { readonly type: 'route'; readonly key: KeyBytes; readonly route: RouteMessage; readonly connections: number }
  | { readonly type: 'duplicate'; readonly id: number; readonly isDuplicate: boolean }
  /** More activity of this session would change nothing. */
  | { readonly type: 'latest'; readonly id: number }
  | { readonly type: 'peerLeft'; readonly id: number; readonly peer: KeyBytes }
  | { readonly type: 'presence'; readonly id: number; readonly changes: readonly PresenceMessage[] }
  | { readonly type: 'rateLimit'; readonly limit: RateLimit | undefined }
  /** The worker knows all, and may take connections. */
  | { readonly type: 'joined' }
  /** Ends the drain that is under way. */
  | { readonly type: 'cut' }
  | { readonly type: 'stopListening' }
  | { readonly type: 'close' }

/** What sessions and logins need from their relay, so that they need not know its core. */

import type { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import type { DerpError } from '../lib/derp-error.ts'
import type { LogFields } from '../lib/log.ts'
import type { TimerQueue } from '../lib/timer-queue.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import type { ClientInfoReader } from '../protocol/client-info-reader.ts'
import type { ResolvedRelayCoreOptions } from './options.ts'
import type { Destination, Directory, LocalClient } from './ports.ts'
import type { WriteDeadlines } from './queues/write-deadlines.ts'
import type { Writer, WriterHost } from './queues/writer.ts'
import type { FairShare } from './reading/fair-share.ts'
import type { KeyTurns } from './reading/key-turns.ts'
import type { LoginMemory } from './reading/login-memory.ts'
import type { LoginTurns } from './reading/login-turns.ts'
import type { RateLimit } from './reading/rate-limit.ts'
import type { Region } from './region-ports.ts'

/** A frame as the decoder holds it: header at `start` of `buffer`, followed by `length` bytes of body. */
export interface Frame {
  readonly type: number
  readonly length: number
  readonly buffer: Uint8Array
  readonly start: number
}

/**
 * Handles one frame of a session `S`; its length is within the bounds of its type. The frame is valid until the handler
 * returns.
 *
 * @throws DerpError to end the session.
 */
export type FrameHandler<S> = (session: S, frame: Frame) => void

/** The relay as seen by a session `S`. */
export interface SessionHost<S extends LocalClient> {
  readonly options: ResolvedRelayCoreOptions
  readonly publicKey: NodePublicKey
  readonly counters: RelayCounters
  /** By frame type; a frame without a handler is skipped (P-002). */
  readonly handlers: readonly (FrameHandler<S> | undefined)[]
  readonly routes: KeyMap<Destination>
  readonly directory: Directory<S>
  /** The region that the relay is in, if it is in one. */
  readonly region: Region | undefined
  readonly timers: TimerQueue
  /** Limit on what each client sends. */
  readonly rateLimit: RateLimit | undefined
  /** Divides the rate of all clients together (P-105); undefined for no limit. */
  readonly fairShare: FairShare | undefined
  /** What connections of one key share (P-111). */
  readonly keyTurns: KeyTurns
  /** How many sources all sessions remember (P-062). */
  readonly seenSources: { count: number }
  /** Milliseconds of the relay's clock. */
  now(): number
  /** Counts, logs and reports a connection that ended with an error. */
  noteFailure(error: DerpError, remote: AddressPort | undefined, fields?: LogFields): void
  sessionEnded(session: S): void
}

/** Results of the login. */
export interface SessionIdentity {
  /** The client's key. */
  readonly key: NodePublicKey
  /** What the client said about itself. */
  readonly info: ClientInfo
  /** The client presented the relay's mesh key. */
  readonly canMesh: boolean
  /** The client would have preferred another node. */
  readonly notIdeal: boolean
  /** Bearer token of the upgrade request, kept for re-checking admission. */
  readonly token?: string | undefined
}

/** The relay as seen by a login `L`, which becomes a session `S`. */
export interface LoginHost<L, S extends LocalClient> extends SessionHost<S>, WriterHost {
  /** The prebuilt ServerKey frame. */
  readonly greeting: Uint8Array
  /** The prebuilt ServerInfo JSON. */
  readonly serverInfo: Uint8Array
  readonly clientInfos: ClientInfoReader
  readonly loginTurns: LoginTurns
  readonly loginMemory: LoginMemory
  readonly clientDeadlines: WriteDeadlines<Writer>
  readonly meshDeadlines: WriteDeadlines<Writer>
  /** A login is complete except for ServerInfo: makes the key reachable (P-036). */
  sessionBegins(session: S): Promise<void>
  /** A client has shown a mesh key that is not the relay's: it is an ordinary client (P-038). */
  noteOtherMeshKey(key: NodePublicKey, remote: AddressPort | undefined): void
  /** A login has succeeded or failed. */
  loginEnded(login: L): void
}

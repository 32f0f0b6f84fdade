/** What the main thread of the daemon and its workers ask each other, besides what moves packets. */

import type { BootstrapName } from '../../http/pages/bootstrap-names.ts'
import type { TallyMemory } from '../../listen/shared-tally.ts'
import type { ReadinessReport } from '../../status/readiness.ts'
import type { TlsState, TlsUpdate } from '../../tls/replicas.ts'
import type { LogLevel } from '../log.ts'
import type { WorkerSettings } from './worker-settings.ts'

/** The names of `/bootstrap-dns`: what is known of them, or undefined where nothing is yet, or there are none. */
export interface NamesState {
  readonly published: ReadonlyMap<string, BootstrapName> | undefined
  readonly unpublished: ReadonlyMap<string, BootstrapName> | undefined
}

/** All that a worker begins with. */
export interface WorkerData {
  /** Its number among the threads that count connections: the main thread is 0. */
  readonly thread: number
  readonly settings: WorkerSettings
  /** In force now, whatever the settings say. */
  readonly logLevel: LogLevel
  readonly tally: TallyMemory
  /** Undefined for plain HTTP. */
  readonly tls: TlsState | undefined
  readonly names: NamesState
}

/** What a worker can be asked. */
export interface WorkerCalls {
  /** Answered once the worker serves accordingly. */
  applyTls(update: TlsUpdate): void
  showNames(names: NamesState): void
  setLogLevel(level: LogLevel): void
}

/** What the main thread can be asked. */
export interface MainCalls {
  /** What the worker begins with; all changes since are told by {@link WorkerCalls}. */
  begin(): WorkerData
  /** The port to bind; 0 to choose one. Answered once it is known where others have to choose it. */
  port(): Promise<number>
  /** The worker has bound a port. */
  bound(port: number): void
  /** The worker cannot bind, and ends. */
  notBound(message: string, code: string | undefined): void
  readiness(): ReadinessReport
}

/** RPC methods of the daemon's main thread and its workers, apart from packets. */

import type { BootstrapName } from '../../http/pages/bootstrap-names.ts'
import type { TallyMemory } from '../../listen/shared-tally.ts'
import type { ReadinessReport } from '../../status/readiness.ts'
import type { TlsState, TlsUpdate } from '../../tls/replicas.ts'
import type { LogFormat, LogLevel } from '../log/log.ts'
import type { WorkerSettings } from './worker-settings.ts'

/** Resolved names for `/bootstrap-dns`; undefined without names or before the first resolution. */
export interface NamesState {
  readonly published: ReadonlyMap<string, BootstrapName> | undefined
  readonly unpublished: ReadonlyMap<string, BootstrapName> | undefined
}

/** Initial state of a worker. */
export interface WorkerData {
  /** Thread number in the shared tally; the main thread is 0. */
  readonly thread: number
  readonly settings: WorkerSettings
  /** The current level, which may differ from that in the settings. */
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly tally: TallyMemory
  /** Undefined for plain HTTP. */
  readonly tls: TlsState | undefined
  readonly names: NamesState
}

/** Methods of a worker. */
export interface WorkerCalls {
  /** Returns once the update is in effect. */
  applyTls(update: TlsUpdate): void
  showNames(names: NamesState): void
  setLogLevel(level: LogLevel): void
}

/** Methods of the main thread. */
export interface MainCalls {
  /** The worker's initial state; later changes arrive through {@link WorkerCalls}. */
  begin(): WorkerData
  /** The port to bind. The first worker may get 0 and choose one; the others wait for its choice. */
  port(): Promise<number>
  bound(port: number): void
  /** Binding failed; the worker exits. */
  notBound(message: string, code: string | undefined): void
  readiness(): ReadinessReport
  /** Writes lines of the worker's log; `dropped` were lost before them. */
  log(lines: string, dropped: number): void
}

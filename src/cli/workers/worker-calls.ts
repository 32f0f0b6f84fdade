/** What the main thread of the daemon and its workers ask each other, besides what moves packets. */

import type { BootstrapName } from '../../http/bootstrap-names.ts'
import type { TallyMemory } from '../../http/shared-tally.ts'
import type { TlsState, TlsUpdate } from '../../tls/tls-replicas.ts'
import type { LogLevel } from '../log.ts'
import type { WorkerSettings } from './worker-settings.ts'

/** The names of `/bootstrap-dns`: what is known of them, or undefined where nothing is yet, or there are none. */
export interface NamesState {
  readonly published: ReadonlyMap<string, BootstrapName> | undefined
  readonly unpublished: ReadonlyMap<string, BootstrapName> | undefined
}

/** All that a worker begins with. */
export interface WorkerData {
  /** Its number among the threads: the main thread is 0. */
  readonly thread: number
  readonly settings: WorkerSettings
  readonly tally: TallyMemory
  /** Undefined for plain HTTP. */
  readonly tls: TlsState | undefined
  readonly names: NamesState
}

/** What a worker can be asked. */
export interface WorkerCalls {
  /** Binds the address of the settings at this port, together with the other workers; 0 chooses one. The answer is the port. */
  listen(port: number): Promise<number>
  /** Answered once the worker serves accordingly. */
  applyTls(update: TlsUpdate): void
  showNames(names: NamesState): void
  setLogLevel(level: LogLevel): void
}

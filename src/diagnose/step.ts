/** A step of a diagnosis, and what steps share. */

import type { DerpClient } from '../client/derp-client.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { PrivateKey } from '../keys/private-key.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import type { AddressPort, IpFamily } from '../lib/address-port.ts'
import { DerpError } from '../lib/derp-error.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import type { Conn } from '../transport/conn.ts'
import type { CauseId, Layer } from './cause.ts'
import type { Platform, TlsInspection } from './platform.ts'
import type { RelayTarget } from './target.ts'
import type { Verdict } from './verdict.ts'

export type StepId =
  | 'dns'
  | 'tcp4'
  | 'tcp6'
  | 'tls'
  | 'http'
  | 'upgrade'
  | 'websocket'
  | 'server-key'
  | 'login'
  | 'packet'
  | 'ping'
  | 'readiness'
  | 'stun4'
  | 'stun6'
  | 'captive-portal'
  | 'same-server'
  | 'mesh-key'
  | 'mesh'

export interface Step {
  readonly id: StepId
  readonly title: string
  readonly layer: Layer
  /** Steps that must have succeeded. */
  readonly after: readonly StepId[]
  /** The cause when it times out. */
  readonly silence: CauseId
  /** Whether a timeout is only a warning: clients work without it. */
  readonly isOptional?: ((examination: Examination) => boolean) | undefined
  /** Whether it sets its own time limits: it makes several attempts. */
  readonly hasOwnLimits?: boolean | undefined
  /** Whether the platform supports it. */
  readonly needs?: ((platform: Platform) => boolean) | undefined
  /** @param signal aborted when it times out. */
  run(examination: Examination, signal: AbortSignal): Promise<Verdict>
}

export interface DiagnoseOptions {
  /** Key to log in with. Default: a fresh one. */
  readonly privateKey?: PrivateKey | undefined
  /** Second key that the relay admits, for tests between two clients. Default: a fresh one. */
  readonly peerKey?: PrivateKey | undefined
  /** Bearer token for admission. */
  readonly token?: string | undefined
  /** Mesh key that all relays should have. */
  readonly meshKey?: MeshKey | undefined
  /** Milliseconds for each step. Default 5 s. */
  readonly timeoutMs?: number | undefined
  /** Cancels the diagnosis. */
  readonly signal?: AbortSignal | undefined
}

/** The diagnosis of one relay: its context and the results so far. */
export interface Examination {
  readonly target: RelayTarget
  readonly platform: Platform
  readonly options: DiagnoseOptions & { readonly timeoutMs: number }
  /** The other relays of the region. */
  readonly others: readonly RelayTarget[]
  readonly findings: Findings
  /** Of earlier steps. */
  readonly verdicts: ReadonlyMap<StepId, Verdict>
}

/** Results that later steps use. */
export interface Findings {
  addresses: Readonly<Record<IpFamily, readonly string[]>>
  /** An address that accepts connections. */
  route?: AddressPort
  tls?: TlsInspection
  /** Carries DERP; nothing has been read from it. */
  conn?: Conn
  /** The key that this client logs in with. */
  selfKey?: NodePublicKey
  /** The relay's key. */
  serverKey?: NodePublicKey
  client?: DerpClient
}

/** Runs `work` with a time limit. */
export function withinLimit<T>(
  { platform, options }: Pick<Examination, 'platform' | 'options'>,
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  timeoutMs: number = options.timeoutMs,
): Promise<T> {
  const tooLate = () => new StepTimeoutError(timeoutMs)
  return withTimeLimit({ clock: platform.clock, timeoutMs, action: 'examine', tooLate, signals: [signal] }, work)
}

/** A step has timed out. */
export class StepTimeoutError extends DerpError {
  constructor(timeoutMs: number) {
    super('ERR_DERP_DIAL_TIMEOUT', `no answer within ${timeoutMs} ms`)
  }
}

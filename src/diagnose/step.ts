/** A step of an examination, and what steps share. */

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
  | 'stun4'
  | 'stun6'
  | 'captive-portal'
  | 'same-server'
  | 'mesh-key'
  | 'mesh'

/** One thing to find out. */
export interface Step {
  readonly id: StepId
  readonly title: string
  readonly layer: Layer
  /** Steps without which there is nothing to try. */
  readonly after: readonly StepId[]
  /** What it means when time runs out. */
  readonly silence: CauseId
  /** Whether clients get along when time runs out. */
  readonly isOptional?: ((examination: Examination) => boolean) | undefined
  /** Whether it limits its own time: it consists of several attempts. */
  readonly hasOwnLimits?: boolean | undefined
  /** What it needs of the platform. */
  readonly needs?: ((platform: Platform) => boolean) | undefined
  /** @param signal aborted when time runs out. */
  run(examination: Examination, signal: AbortSignal): Promise<Verdict>
}

/** What the operator has stated besides the target. */
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
  /** Cancels the examination. */
  readonly signal?: AbortSignal | undefined
}

/** An examination of one relay: its surroundings, and what earlier steps have left. */
export interface Examination {
  readonly target: RelayTarget
  readonly platform: Platform
  readonly options: DiagnoseOptions & { readonly timeoutMs: number }
  /** The other relays of the region. */
  readonly others: readonly RelayTarget[]
  readonly findings: Findings
  /** Of the steps before. */
  readonly verdicts: ReadonlyMap<StepId, Verdict>
}

/** What steps find for later ones. */
export interface Findings {
  addresses: Readonly<Record<IpFamily, readonly string[]>>
  /** An address that takes connections. */
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

/** Runs `work` with a limit of its own; `tooLate` gives the error. */
export function withinLimit<T>(
  { platform, options }: Pick<Examination, 'platform' | 'options'>,
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  timeoutMs: number = options.timeoutMs,
): Promise<T> {
  const tooLate = () => new TimeIsUpError(timeoutMs)
  return withTimeLimit({ clock: platform.clock, timeoutMs, action: 'examine', tooLate, signals: [signal] }, work)
}

/** A step has used up its time. */
export class TimeIsUpError extends DerpError {
  constructor(timeoutMs: number) {
    super('ERR_DERP_DIAL_TIMEOUT', `no answer within ${timeoutMs} ms`)
  }
}

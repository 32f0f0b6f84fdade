/** What the main thread of the daemon and the thread for STUN ask each other. */

import type { AddressPort } from '../../lib/address-port.ts'
import type { BridgeSuspicion } from '../../stun/bridge-watch.ts'
import { createStunRequestCounters, type StunRequestCounters } from '../../stun/request-counters.ts'
import { createStunCounters, type StunCounters } from '../../stun/responder.ts'
import type { StunSettings } from '../settings.ts'

/** All that is counted. */
export interface StunCounts {
  readonly counters: StunCounters
  readonly requests: StunRequestCounters
}

/** All zero. */
export function createStunCounts(): StunCounts {
  return { counters: createStunCounters(), requests: createStunRequestCounters() }
}

/** What the thread begins with. */
export interface StunThreadData {
  readonly stun: StunSettings
  /** Memory of {@link StunCounts}. */
  readonly counts: SharedArrayBuffer
}

/** What the thread can be asked. */
export interface StunThreadCalls {
  /** Binds; rejects if that fails. */
  listen(port: number): Promise<AddressPort>
  /** Frees the port. */
  close(): Promise<void>
}

/** What the main thread is told. */
export interface StunMainCalls {
  bridge(suspicion: BridgeSuspicion): void
  /** The latest of the failures since the last call was answered; all are counted. */
  failed(reason: string, during: 'read' | 'write'): void
}

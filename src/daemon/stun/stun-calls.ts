/** Calls between the main thread of the daemon and the STUN thread. */

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

/** Initial state of the thread. */
export interface StunThreadData {
  readonly stun: StunSettings
  /** Memory of {@link StunCounts}. */
  readonly counts: SharedArrayBuffer
}

/** Methods of the thread. */
export interface StunThreadCalls {
  /** Binds; rejects if that fails. */
  listen(port: number): Promise<AddressPort>
  /** Frees the port. */
  close(): Promise<void>
}

/** Methods of the main thread. */
export interface StunMainCalls {
  bridge(suspicion: BridgeSuspicion): void
  /** The latest of the failures since the last call was answered; all are counted. */
  failed(reason: string, during: 'read' | 'write'): void
}

/** Results of steps. Pure. */

import { connectionFault } from '../lib/connection-fault.ts'
import { type Cause, type CauseId, causeOf, type Layer } from './cause.ts'

export type Verdict =
  | { readonly status: 'passed'; readonly detail: string }
  | Fault
  /** Not run: not supported by the platform, not promised by the map, or impossible after an earlier failure. */
  | { readonly status: 'skipped'; readonly reason: string; readonly isBlocked: boolean }

/** Something is wrong; a warning if clients work without it. */
export interface Fault {
  readonly status: 'failed' | 'warning'
  readonly cause: Cause
  /** What was observed: addresses, dates, status codes. */
  readonly detail: string
  /** Layer at fault, if not the step's own. */
  readonly layer?: Layer | undefined
}

export const passed = (detail: string): Verdict => ({ status: 'passed', detail })

export const failed = (id: CauseId, detail: string, layer?: Layer): Fault => ({
  status: 'failed',
  cause: causeOf(id),
  detail,
  layer,
})

export const warning = (id: CauseId, detail: string): Fault => ({ status: 'warning', cause: causeOf(id), detail })

export const skipped = (reason: string): Verdict => ({ status: 'skipped', reason, isBlocked: false })

/** An earlier failure makes the step impossible. */
export const blocked = (reason: string): Verdict => ({ status: 'skipped', reason, isBlocked: true })

/** A failure if `isPromised`, otherwise a warning: clients work without it. */
export function fault(isPromised: boolean, id: CauseId, detail: string): Fault {
  return isPromised ? failed(id, detail) : warning(id, detail)
}

/** The cause of an error by its code; default `otherwise`. */
export function causeOfError(error: unknown, otherwise: CauseId): CauseId {
  return connectionFault(error)?.id ?? otherwise
}

/** An error's message on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return (error instanceof Error ? error.message : String(error)).trim().replace(/\s+/g, ' ')
}

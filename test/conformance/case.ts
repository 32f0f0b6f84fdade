/** One requirement for every relay. */

import type { Target } from './target.ts'

/** Requirements of a case besides a relay. */
export type Need =
  /** The relay's mesh key. */
  | 'mesh'
  /** `/debug/` pages; such cases run alone, since they compare counters. */
  | 'debug'
  /** A TLS listener. */
  | 'tls'
  /** A STUN server. */
  | 'stun'
  /** DERP directly over the upgraded connection. */
  | 'raw'
  /** WebSocket. */
  | 'websocket'

export interface ConformanceCase {
  /** Stable name, such as `send-packet/self`. */
  readonly id: string
  /** The clauses of docs/understand/protocol/ that it tests. */
  readonly clauses: readonly string[]
  readonly needs?: readonly Need[]
  /** The row of docs/understand/differences.md, if `run` has two expectations. */
  readonly differs?: string
  /** Runs alone, after all others: it loads the machine, or compares counters. */
  readonly alone?: boolean
  /** Takes longer than 5 s, and does not depend on the transport: quick runs skip it. */
  readonly slow?: boolean
  /** @throws if the relay behaves differently. */
  run(target: Target): Promise<void>
}

/** Whether a run has all that a case needs. */
export function isApplicable({ needs = [] }: ConformanceCase, target: Target): boolean {
  const { options } = target
  const has: Record<Need, boolean> = {
    mesh: options.meshKey !== undefined,
    debug: options.debug === true,
    tls: target.isTls,
    stun: options.stunPort !== undefined,
    raw: options.carriage === 'raw',
    websocket: options.carriage === 'websocket',
  }
  return needs.every(need => has[need])
}

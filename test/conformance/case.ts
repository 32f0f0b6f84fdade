/** One thing that every relay must do. */

import type { Target } from './target.ts'

/** What a case needs of the run besides a relay. */
export type Need =
  /** The relay's mesh key. */
  | 'mesh'
  /** `/debug/` pages; such cases run alone, since they compare counters. */
  | 'debug'
  /** A TLS listener. */
  | 'tls'
  /** A STUN server. */
  | 'stun'
  /** A carriage straight over HTTP. */
  | 'raw'
  /** WebSocket. */
  | 'websocket'

export interface ConformanceCase {
  /** Stable name, such as `send-packet/self`. */
  readonly id: string
  /** The clauses of docs/protocol.md that it proves. */
  readonly clauses: readonly string[]
  readonly needs?: readonly Need[]
  /** The row of docs/differences.md, when `run` has two expectations. */
  readonly differs?: string
  /** Runs by itself, after all others: it loads the machine, or compares what others would change. */
  readonly alone?: boolean
  /** Takes longer than 5 s, and does not depend on the carriage: quick runs leave it out. */
  readonly slow?: boolean
  /** @throws when the relay does otherwise. */
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

/** One requirement for relays that form a region, whether by a mesh or over NATS. */

import type { Target } from '../target.ts'

/** How the relays of a run know each other's clients. */
export type RegionKind = 'mesh' | 'nats'

/** Three relays of one region, and a stock mesh peer of all of them. */
export interface RegionTarget {
  readonly kind: RegionKind
  readonly relays: readonly [Target, Target, Target]
  /** @throws Error without one: the case should say that it needs it. */
  readonly stock: Target
  /** Ends a relay of {@link relays} with the signal, and starts it again at the same address. */
  readonly restart: (relay: number, signal: 'SIGTERM' | 'SIGKILL') => Promise<void>
}

export interface RegionCase {
  /** Stable name, such as `moves/to-another-relay`. */
  readonly id: string
  /** The clauses of docs/understand/protocol/ and docs/understand/region.md that it tests. */
  readonly clauses: readonly string[]
  /** Needs the stock mesh peer. */
  readonly needsStock?: boolean
  /** Runs after all others, on its own: it restarts a relay. */
  readonly alone?: boolean
  /** @throws if the relays behave differently. */
  run(region: RegionTarget): Promise<void>
}

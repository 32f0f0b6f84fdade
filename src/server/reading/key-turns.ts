/**
 * The budget that all connections of one key share in each turn of the event loop (P-111): that of a single connection.
 */

import { KeyMap } from '../../keys/key-map.ts'
import type { NodePublicKey } from '../../keys/node-key.ts'
import type { Clock } from '../../lib/clock.ts'
import { TurnGroup, type TurnLimits, turnShareOf } from '../../transport/turn-share.ts'

/** Frames per turn of the event loop; their bytes are limited below. */
export const TURN_LIMITS: TurnLimits = { pieces: 256, bytes: Number.POSITIVE_INFINITY }

interface Shared {
  readonly group: TurnGroup
  members: number
}

export class KeyTurns {
  readonly #clock: Clock
  readonly #shared = new KeyMap<Shared>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Number of keys with a group. */
  get size(): number {
    return this.#shared.size
  }

  /** The group of the key, for one more connection, which leaves it later. */
  join(key: NodePublicKey): TurnGroup {
    let shared = this.#shared.get(key.bytes)
    if (shared === undefined) {
      shared = { group: new TurnGroup(turnShareOf(this.#clock), TURN_LIMITS), members: 0 }
      this.#shared.set(key, shared)
    }
    shared.members++
    return shared.group
  }

  leave(key: NodePublicKey): void {
    const shared = this.#shared.get(key.bytes)
    if (shared !== undefined && --shared.members === 0) this.#shared.delete(key)
  }
}

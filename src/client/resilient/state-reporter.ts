/** Tracks the state of a {@link ResilientClient} and notifies listeners. */

import type { DerpError } from '../../lib/derp-error.ts'
import type { Emitter } from '../../lib/emitter.ts'
import type { Log } from '../../lib/log.ts'
import type { ResilientEvents, ResilientState, StateEvent, StateReason } from './resilient-events.ts'

export class StateReporter {
  /** The last failure; undefined while connected. */
  error: DerpError | undefined
  /** The reason for the next state. */
  reason: StateReason = 'started'
  /** Attempts since the last healthy connection. */
  attempt = 0
  readonly #events: Emitter<ResilientEvents>
  readonly #log: Log
  #state: ResilientState = 'idle'

  constructor(events: Emitter<ResilientEvents>, log: Log) {
    this.#events = events
    this.#log = log
  }

  get state(): ResilientState {
    return this.#state
  }

  /** The client is used for the first time: no event, because there is nothing to report yet. */
  start(): void {
    this.#state = 'connecting'
  }

  /** Enters a state for {@link reason} and reports it. */
  enter(state: StateEvent['state'], node?: string, delayMs?: number): void {
    this.#state = state
    this.emit('state', { state, reason: this.reason, attempt: this.attempt, node, delayMs, error: this.error })
  }

  /** An exception from a listener must not end the connection. */
  emit<Name extends keyof ResilientEvents>(name: Name, event: ResilientEvents[Name]): void {
    try {
      this.#events.emit(name, event)
    } catch (error) {
      this.#log.error('listener failed', { event: name, error })
    }
  }
}

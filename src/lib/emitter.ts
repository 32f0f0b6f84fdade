/** Typed events without platform APIs. */

/** Removes the listener; idempotent. */
export type Unsubscribe = () => void

/** Event emitter; `Events` maps names to payloads. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>()

  /** Adds a listener. Exceptions from listeners propagate to the emitter's caller. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): Unsubscribe {
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) {
      listeners = new Set()
      this.#listeners.set(name, listeners)
    }
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** Calls all listeners of an event. */
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    const listeners = this.#listeners.get(name) as ReadonlySet<(value: Events[Name]) => void> | undefined
    if (listeners === undefined) return
    for (const listener of listeners) listener(value)
  }
}

/** Typed events without a platform. */

/** Removes the listener; idempotent. */
export type Unsubscribe = () => void

/** Tells any number of listeners of events; `Events` maps names to what they carry. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>()

  /** Calls `listener` for each event of this name from now on. What a listener throws reaches whoever emits. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): Unsubscribe {
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) {
      listeners = new Set()
      this.#listeners.set(name, listeners)
    }
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    const listeners = this.#listeners.get(name) as ReadonlySet<(value: Events[Name]) => void> | undefined
    if (listeners === undefined) return
    for (const listener of listeners) listener(value)
  }
}

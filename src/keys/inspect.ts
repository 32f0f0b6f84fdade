/** Support for Node's `util.inspect` and `console.log`, without importing them. */

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** Makes `console.log` print `show(value)` for every object of this prototype. */
export function defineInspect<T extends object>(prototype: T, show: (value: T) => string): void {
  Object.defineProperty(prototype, INSPECT, {
    value(this: T): string {
      return show(this)
    },
  })
}

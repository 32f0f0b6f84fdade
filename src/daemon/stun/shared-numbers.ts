/** Objects of numbers that two threads share: what one writes, the other reads. Only one may write. */

/** An object whose leaves are numbers. */
type Numbers = { readonly [name: string]: number | Numbers }

/** Memory for an object of this shape. */
export function memoryFor(shape: object): SharedArrayBuffer {
  return new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * leaves(shape as Numbers))
}

/** An object of this shape whose numbers are in `memory`. */
export function sharedNumbers<T extends object>(shape: T, memory: SharedArrayBuffer): T {
  const cells = new Float64Array(memory)
  let used = 0
  const build = (numbers: Numbers): object => {
    const built = {}
    for (const [name, value] of Object.entries(numbers)) {
      if (typeof value === 'number') Object.defineProperty(built, name, accessor(cells, used++))
      else Object.defineProperty(built, name, { enumerable: true, value: build(value) })
    }
    return built
  }
  // It has the same properties, all the way down.
  return build(shape as Numbers) as T
}

function accessor(cells: Float64Array, at: number): PropertyDescriptor {
  return {
    enumerable: true,
    get: () => cells[at],
    set: (value: number) => {
      cells[at] = value
    },
  }
}

function leaves(numbers: Numbers): number {
  return Object.values(numbers).reduce<number>((sum, value) => sum + (typeof value === 'number' ? 1 : leaves(value)), 0)
}

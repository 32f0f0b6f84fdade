/** Counters and comparisons of the attacked modules; instrument.ts puts the calls into them. */

/** More than the modules of the whole relay need. */
const MAX_COUNTERS = 1 << 16
/** Comparisons of one run that are recorded. */
const MAX_COMPARISONS = 4_096

export type Operand = number | string

/** A comparison that failed: with `wanted` in place of `seen` it would not have. */
export interface Comparison {
  readonly seen: Operand
  readonly wanted: Operand
}

class Coverage {
  /** Texts of the modules: names of headers, of fields and the like. */
  readonly words = new Set<string>()
  readonly #counters = new Uint8Array(MAX_COUNTERS)
  readonly #fours = new Int32Array(this.#counters.buffer)
  /** For each counter, the magnitudes that have been seen, as bits. */
  readonly #known = new Uint8Array(MAX_COUNTERS)
  #used = 0
  #comparisons: Comparison[] | undefined

  /** Called by each module once. */
  allocate(count: number, words: readonly string[]): Uint8Array {
    const from = this.#used
    this.#used += count
    if (this.#used > MAX_COUNTERS) throw new Error(`count coverage: more than ${MAX_COUNTERS} places`)
    for (const word of words) this.words.add(word)
    return this.#counters.subarray(from, this.#used)
  }

  /** Called in place of `a === b`. */
  same(a: unknown, b: unknown): boolean {
    if (this.#comparisons !== undefined && a !== b) this.#note(a, b)
    return a === b
  }

  get places(): number {
    return this.#used
  }

  /** Places that were reached at least once. */
  get reached(): number {
    return this.#known.subarray(0, this.#used).reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0)
  }

  clear(): void {
    this.#counters.fill(0, 0, this.#used)
  }

  forget(): void {
    this.#known.fill(0)
  }

  /** What has been reached since {@link clear} and never before, as places with magnitudes; it is known from now on. */
  takeNew(): number {
    let found = 0
    for (let four = 0; four * 4 < this.#used; four++) {
      if (this.#fours[four] === 0) continue
      for (let at = four * 4; at < four * 4 + 4; at++) {
        const count = this.#counters[at] as number
        if (count === 0) continue
        const bit = magnitudeOf(count)
        if (((this.#known[at] as number) & bit) !== 0) continue
        this.#known[at] = (this.#known[at] as number) | bit
        found++
      }
    }
    return found
  }

  /** Records comparisons until they are taken. */
  record(): void {
    this.#comparisons = []
  }

  takeComparisons(): readonly Comparison[] {
    const taken = this.#comparisons ?? []
    this.#comparisons = undefined
    return taken
  }

  #note(a: unknown, b: unknown): void {
    const isText = typeof a === 'string' && typeof b === 'string'
    const isNumber = Number.isSafeInteger(a) && Number.isSafeInteger(b)
    if ((!isText && !isNumber) || (this.#comparisons?.length ?? 0) > MAX_COMPARISONS) return
    const [left, right] = [a as Operand, b as Operand]
    this.#comparisons?.push({ seen: left, wanted: right }, { seen: right, wanted: left })
  }
}

/** One of eight bits: once, twice, thrice, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. */
function magnitudeOf(count: number): number {
  if (count <= 3) return 1 << (count - 1)
  if (count < 8) return 8
  if (count < 16) return 16
  if (count < 32) return 32
  return count < 128 ? 64 : 128
}

export const coverage: Coverage = new Coverage()

Object.assign(globalThis, { fuzzCoverage: coverage })

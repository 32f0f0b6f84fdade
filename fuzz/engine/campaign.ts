/** Fuzzes one target for a while: keeps each input that reaches something new, and makes others of it. */

import { setImmediate } from 'node:timers/promises'
import { coverage } from './coverage.ts'
import { type Finding, findingOf, isAlike } from './finding.ts'
import { type MutationSource, mutate, satisfy } from './mutate.ts'
import { Random } from './random.ts'
import { DEFAULT_MAX_BYTES, type FuzzTarget } from './target.ts'

/** Processor milliseconds of the thread that one input may take: inputs are short. */
const MAX_RUN_MS = 500
/** Runs after which a target that is not asynchronous lets the event loop turn. */
const RUNS_PER_TURN = 512
/** Of the most recent inputs each has a good chance to be changed. */
const RECENT = 24
/** One in this many inputs to be changed is a seed. */
const SEED_EVERY = 8
/** Inputs made at once of the comparisons of one. */
const MAX_SATISFIED = 600
/** Milliseconds spent on making the input of a finding smaller. */
const SHRINK_MS = 5_000

export interface CampaignOptions {
  readonly seconds: number
  readonly seed: number
  readonly inputs: readonly Uint8Array[]
  /** Called with each input before it is run, for whoever watches whether the run ends. */
  readonly onInput?: (input: Uint8Array) => void
}

export interface CampaignResult {
  readonly runs: number
  readonly seconds: number
  /** Inputs that each reach something that those before do not, in order. */
  readonly inputs: readonly Uint8Array[]
  /** Those that the campaign has found. */
  readonly fresh: number
  readonly reached: number
  readonly places: number
  readonly finding: Finding | undefined
}

export class Campaign {
  readonly #target: FuzzTarget
  readonly #options: CampaignOptions
  readonly #random: Random
  readonly #inputs: Uint8Array[] = []
  readonly #source: MutationSource
  #runs = 0
  #known = 0
  #rejection: { readonly reason: unknown } | undefined

  constructor(target: FuzzTarget, options: CampaignOptions) {
    this.#target = target
    this.#options = options
    this.#random = new Random(options.seed)
    const words = [...(target.words ?? []), ...coverage.words]
    this.#source = {
      random: this.#random,
      words: words.map(word => (typeof word === 'string' ? Buffer.from(word) : word)),
      maxBytes: target.maxBytes ?? DEFAULT_MAX_BYTES,
      other: () => this.#pick(),
    }
  }

  async run(): Promise<CampaignResult> {
    const startMs = performance.now()
    const onRejection = (reason: unknown) => {
      this.#rejection ??= { reason }
    }
    process.on('unhandledRejection', onRejection)
    try {
      const finding = await this.#findUntil(startMs + this.#options.seconds * 1_000)
      return {
        runs: this.#runs,
        seconds: (performance.now() - startMs) / 1_000,
        inputs: this.#inputs,
        fresh: this.#inputs.length - this.#known,
        reached: coverage.reached,
        places: coverage.places,
        finding: finding && (await this.#shrink(finding)),
      }
    } finally {
      process.off('unhandledRejection', onRejection)
    }
  }

  async #findUntil(endMs: number): Promise<Finding | undefined> {
    coverage.forget()
    // Short ones first: they are kept, and longer ones that reach nothing else are not.
    const given = [Uint8Array.of(), ...this.#target.seeds, ...this.#options.inputs]
    for (const input of given.toSorted((a, b) => a.length - b.length)) {
      const finding = await this.#try(input)
      if (finding !== undefined) return finding
    }
    this.#known = this.#inputs.length
    const seeds = [...this.#target.seeds]
    for (let at = 0; performance.now() < endMs; ) {
      // Each input once, then each seed, then at random.
      const next = this.#inputs[at] ?? seeds.pop()
      if (this.#inputs[at] !== undefined) at++
      const finding =
        next === undefined ? await this.#try(mutate(this.#pick(), this.#source)) : await this.#satisfy(next, endMs)
      if (finding !== undefined) return finding
    }
    return undefined
  }

  async #satisfy(input: Uint8Array, endMs: number): Promise<Finding | undefined> {
    coverage.record()
    const finding = await this.#runOnce(input)
    const comparisons = coverage.takeComparisons()
    let tried = 0
    for (const changed of satisfy(input, comparisons)) {
      if (finding !== undefined || ++tried > MAX_SATISFIED || performance.now() > endMs) break
      const found = await this.#try(changed)
      if (found !== undefined) return found
    }
    return finding
  }

  async #try(input: Uint8Array): Promise<Finding | undefined> {
    coverage.clear()
    const finding = await this.#runOnce(input)
    if (finding === undefined && coverage.takeNew() > 0) this.#inputs.push(input)
    return finding
  }

  async #runOnce(input: Uint8Array): Promise<Finding | undefined> {
    this.#options.onInput?.(input)
    this.#runs++
    const startMs = performance.now()
    const startUse = process.threadCpuUsage()
    try {
      const outcome = this.#target.run(new Uint8Array(input))
      if (typeof outcome !== 'string') {
        await outcome
        await setImmediate()
      } else if (this.#runs % RUNS_PER_TURN === 0) await setImmediate()
    } catch (error) {
      return findingOf(error, input)
    }
    if (this.#rejection !== undefined) {
      const { reason } = this.#rejection
      this.#rejection = undefined
      return findingOf(new Error(`unhandled rejection: ${reason}`, { cause: reason }), input)
    }
    if (performance.now() - startMs > MAX_RUN_MS && processorMs(startUse) > MAX_RUN_MS) {
      // The first run of a target also compiles it: only what is slow again is the input's doing.
      const againUse = process.threadCpuUsage()
      await this.#target.run(new Uint8Array(input))
      const usedMs = processorMs(againUse)
      if (usedMs > MAX_RUN_MS)
        return findingOf(new Error(`work without bounds: ${usedMs.toFixed(0)} ms of processor`), input)
    }
    return undefined
  }

  #pick(): Uint8Array {
    const random = this.#random
    // Shorter inputs may reach all that a seed does, but have less to be changed.
    const { seeds } = this.#target
    if (seeds.length > 0 && random.isOneIn(SEED_EVERY)) return random.oneOf(seeds)
    const from = random.isOneIn(2) ? Math.max(0, this.#inputs.length - RECENT) : 0
    return this.#inputs[from + random.below(this.#inputs.length - from)] ?? Uint8Array.of()
  }

  /** Removes parts of the input while the same failure remains. */
  async #shrink(finding: Finding): Promise<Finding> {
    const untilMs = performance.now() + SHRINK_MS
    let smallest = finding
    for (let size = finding.input.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at < smallest.input.length && performance.now() < untilMs; ) {
        const { input } = smallest
        const smaller = Buffer.concat([input.subarray(0, at), input.subarray(at + size)])
        const found = await this.#runOnce(smaller)
        if (found !== undefined && isAlike(found, finding)) smallest = found
        else at += size
      }
    }
    return smallest
  }
}

/** Milliseconds of processor time that this thread has used since. */
function processorMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since)
  return (user + system) / 1_000
}

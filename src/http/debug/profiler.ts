/** Profiles of the JavaScript of this thread, and its garbage collector, as far as the runtime has them. */

import { byRuntime } from '../../lib/runtime.ts'
import { bunEngine } from './bun-engine.ts'
import type { Engine, ProfileKind } from './engine.ts'
import { nodeEngine } from './node-engine.ts'

/** One profile at a time: each makes the program slower. */
export class Profiler {
  readonly #engine: Engine
  #isBusy = false

  constructor(engine: Engine = byRuntime({ node: nodeEngine, bun: bunEngine })) {
    this.#engine = engine
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  makes(kind: ProfileKind): boolean {
    return this.#engine.profiles[kind] !== undefined
  }

  /**
   * Profiles until `end` resolves.
   *
   * @returns the profile as the runtime describes it, ready for JSON.
   * @throws Error while another profile is being made, or for a kind that this runtime does not make.
   */
  async profile(kind: ProfileKind, end: Promise<unknown>): Promise<object> {
    const make = this.#engine.profiles[kind]
    if (make === undefined) throw new Error(`make a ${kind} profile: this runtime makes none`)
    if (this.#isBusy) throw new Error('make a profile: another is being made')
    this.#isBusy = true
    try {
      return await make(end)
    } finally {
      this.#isBusy = false
    }
  }

  collectGarbage(): Promise<void> {
    return this.#engine.collectGarbage()
  }
}

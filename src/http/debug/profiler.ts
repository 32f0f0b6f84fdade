/** Profiler and garbage collector of this thread, as far as the runtime supports them. */

import { byRuntime } from '../../lib/runtime.ts'
import { bunEngine } from './bun-engine.ts'
import type { Engine, ProfileKind } from './engine.ts'
import { nodeEngine } from './node-engine.ts'

/** One profile at a time: each slows the process down. */
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
   * @returns the profile in the runtime's format, ready for JSON.
   * @throws Error while another profile is in progress, or for an unsupported kind.
   */
  async profile(kind: ProfileKind, end: Promise<unknown>): Promise<object> {
    const make = this.#engine.profiles[kind]
    if (make === undefined) throw new Error(`make a ${kind} profile: not supported by this runtime`)
    if (this.#isBusy) throw new Error('profile: another profile is in progress')
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
